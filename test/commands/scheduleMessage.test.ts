import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CommandHandler } from '../../src/commands/CommandHandler.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { silentTelemetry } from '../../src/util/Telemetry.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';

const ANNA = '+15550100001';

function rig() {
  const clock = new FakeClock();
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
  onTestFinished(() => store.close());
  const nothing = { onSends: () => {}, onSchedules: () => {}, onAcks: () => {} };
  const handler = new CommandHandler({ store, clock, telemetry: silentTelemetry, ...nothing });
  let ids = 0;
  const run = (command_type: string, payload: object) => {
    const command_id = `c${++ids}`;
    handler.handle({ command_id, command_type, payload }, 'websocket');
    const acks = store.commands.acksWaiting(0, 1000).map(({ body }) => body);
    return acks.find((ack) => ack.command_id === command_id)!;
  };
  const schedule = (send_at: string, recurrence?: object) =>
    run('schedule_message', { thread_id: ANNA, text: 'later', send_at, recurrence });
  return { clock, store, handler, run, schedule };
}

describe('schedule_message', () => {
  it.each([
    ['x'.repeat(200_001), 'message_text: EDGE_SEND_TEXT: the text has 200001 characters, the limit is 200000'],
    [' \n', 'message_text: EDGE_SEND_TEXT: the text is empty'],
  ])('refuses at once what could not be sent later', (text, error) => {
    const { run } = rig();
    const ack = run('schedule_message', { thread_id: ANNA, text, send_at: '2030-01-01T09:00:00Z' });
    expect(ack).toMatchObject({ status: 'failed', error });
  });

  it('keeps a recurrence with its zone, and the first time that matches it', () => {
    const { store, schedule } = rig();
    const ack = schedule('2026-01-01T09:00:00+01:00', {
      rrule: 'rrule:freq=weekly;byday=mo',
      time_zone: 'europe/berlin',
    });
    expect(ack).toMatchObject({ status: 'received', success: true });
    expect(store.schedules.byId('c1')).toMatchObject({
      sendAt: Date.UTC(2026, 0, 5, 8),
      firstAt: Date.UTC(2026, 0, 1, 8),
      rrule: 'FREQ=WEEKLY;BYDAY=MO',
      timeZone: 'Europe/Berlin',
      occurrences: 0,
      state: 'pending',
    });
  });

  it('begins a recurrence whose send_at is past now, with the time that passed on the way', () => {
    const { store, schedule } = rig();
    schedule('2025-12-25T09:00:00Z', { rrule: 'FREQ=DAILY', time_zone: 'UTC' });
    schedule('2025-12-31T23:59:30Z', { rrule: 'FREQ=DAILY', time_zone: 'UTC' });
    expect(store.schedules.byId('c1')).toMatchObject({ sendAt: Date.UTC(2026, 0, 1, 9), occurrences: 7 });
    expect(store.schedules.byId('c2')).toMatchObject({ sendAt: Date.UTC(2025, 11, 31, 23, 59, 30), occurrences: 0 });
  });

  it.each([
    [{ rrule: 'FREQ=MINUTELY' }, 'recurrence.rrule: FREQ=MINUTELY: expected one of YEARLY'],
    [{ rrule: 'FREQ=DAILY;BYEASTER=0' }, 'recurrence.rrule: unknown part BYEASTER'],
    [{ rrule: 'FREQ=DAILY', time_zone: 'Mars/Olympus' }, 'recurrence.time_zone: expected an IANA name'],
    [{ rrule: 'FREQ=DAILY;UNTIL=20251231' }, 'recurrence.rrule: never occurs from now on'],
    [{ rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' }, 'recurrence.rrule: never occurs'],
    [{}, 'recurrence.rrule: '],
  ])('refuses %j with an ack that names what is wrong', (recurrence, why) => {
    const { store, schedule } = rig();
    const ack = schedule('2025-12-24T09:00:00Z', recurrence);
    expect(ack).toMatchObject({ status: 'failed', success: false });
    expect(ack.error).toContain(why);
    expect(store.schedules.pendingCount()).toBe(0);
  });

  it('is acknowledged again when it comes again, also when its ack was pruned long ago', () => {
    const { clock, store, handler, schedule } = rig();
    schedule('2026-01-01T09:00:00Z', { rrule: 'FREQ=DAILY' });
    const [ack] = store.commands.acksWaiting(0, 9);
    store.commands.markHandedOver(ack!.ackId, clock.now());
    clock.jumpWall(30 * 86_400_000);
    store.prune(clock.now());
    expect(store.commands.acksWaiting(0, 9)).toEqual([]);
    handler.handle({ command_id: 'c1', command_type: 'schedule_message', payload: {} }, 'sync');
    expect(store.commands.acksWaiting(0, 9)).toMatchObject([{ commandId: 'c1', body: { status: 'received' } }]);
  });

  it('reads a time without an offset in the zone of this Mac', () => {
    const { store, schedule } = rig();
    schedule('2026-07-01T09:00');
    expect(store.schedules.byId('c1')?.sendAt).toBe(new Date(2026, 6, 1, 9).getTime());
  });
});

describe('list_scheduled', () => {
  it('shows the recurrence, its next time and how many are gone by', () => {
    const { run, schedule } = rig();
    schedule('2025-12-25T09:00:00Z', { rrule: 'FREQ=DAILY', time_zone: 'UTC' });
    expect(run('list_scheduled', {}).result).toEqual({
      scheduled_messages: [
        {
          schedule_id: 'c1',
          thread_id: ANNA,
          message_text: 'later',
          send_at: '2026-01-01T09:00:00.000Z',
          status: 'pending',
          recurrence: { rrule: 'FREQ=DAILY', time_zone: 'UTC' },
          occurrences: 7,
        },
      ],
      truncated: false,
    });
  });

  it('lists what is expired', () => {
    const { store, run, schedule } = rig();
    schedule('2026-01-01T09:00:00Z');
    schedule('2026-01-01T09:00:00Z');
    store.schedules.finish('c1', 'expired', 5);
    expect(run('list_scheduled', { status: 'expired' }).result).toMatchObject({
      scheduled_messages: [{ schedule_id: 'c1', status: 'expired' }],
    });
    expect(run('list_scheduled', { status: 'due' }).error).toBe(
      'status: expected one of pending, fired, cancelled, expired, all',
    );
  });
});

describe('cancel_scheduled', () => {
  it('cancels the rest of a series and takes back nothing that fired', () => {
    const { store, run, schedule } = rig();
    schedule('2026-01-01T09:00:00Z', { rrule: 'FREQ=DAILY', time_zone: 'UTC' });
    const key = 'schedule:c1:1';
    store.sends.insert({ key, threadId: ANNA, text: 'later', bubbleType: 'normal', scheduleId: 'c1', now: 1 });
    expect(run('cancel_scheduled', { schedule_id: 'c1' })).toMatchObject({ status: 'completed' });
    expect(store.schedules.byId('c1')?.state).toBe('cancelled');
    expect(store.commands.byId('c1')?.state).toBe('failed');
    expect(store.sends.byKey(key)?.state).toBe('queued');
    expect(store.schedules.nextAt()).toBeUndefined();
  });
});
