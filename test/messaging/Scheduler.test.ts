import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Scheduler } from '../../src/messaging/Scheduler.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';
import { ANNA } from './senderRig.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function rig() {
  const clock = new FakeClock();
  const statePath = join(tempDir(), 'state.db');
  const store = StateStore.open(statePath, clock.now());
  onTestFinished(() => store.close());
  const { telemetry, calls } = recordingTelemetry();
  const state = { due: 0, settled: 0, canSend: true };
  const create = () =>
    new Scheduler({
      store,
      clock,
      telemetry,
      maxLateSeconds: 3600,
      canSend: () => state.canSend,
      onDue: () => state.due++,
      onSettled: () => state.settled++,
    });
  /** The program starts anew. */
  const boot = () => create().start();
  const command = (commandId: string) => {
    const now = clock.now();
    const known = { commandId, commandType: 'schedule_message', payload: {}, channel: 'sync' as const };
    store.commands.insert({ ...known, issuedAt: now, now });
    return { scheduleId: commandId, threadId: ANNA, text: commandId, now };
  };
  const schedule = (commandId: string, inMs: number) =>
    store.schedules.insert({ ...command(commandId), sendAt: clock.now() + inMs });
  const series = (commandId: string, rrule: string, inMs: number) => {
    const firstAt = clock.now() + inMs;
    const recurrence = { rrule, timeZone: 'Europe/Berlin', firstAt, occurrences: 0 };
    store.schedules.insert({ ...command(commandId), sendAt: firstAt, recurrence });
    return firstAt;
  };
  const keys = () => store.sends.openOf(ANNA).map((send) => send.key);
  const told = (event: string) => calls.filter((call) => call.event === event).map((call) => call.args[0]);
  return { clock, statePath, store, scheduler: create(), boot, schedule, series, state, keys, told };
}

describe('Scheduler', () => {
  it('turns a schedule into a send of its command when the time has come, once', async () => {
    const { clock, store, scheduler, schedule, state } = rig();
    scheduler.start();
    schedule('s1', 5000);
    scheduler.wake();
    await clock.advance(4999);
    expect(store.sends.openOf(ANNA)).toEqual([]);
    await clock.advance(1);
    expect(store.sends.openOf(ANNA)).toMatchObject([
      { key: 'command:s1', text: 's1', commandId: 's1', state: 'queued' },
    ]);
    expect(store.commands.byId('s1')?.sendId).toBe(store.sends.byKey('command:s1')?.sendId);
    await clock.advance(120_000);
    expect(store.sends.openOf(ANNA)).toHaveLength(1);
    expect(state.due).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('gives up one whose bubble cannot have its key, and goes on with the others', async () => {
    const { clock, store, scheduler, schedule, state, keys, told } = rig();
    const root = store.sends.insert({ key: 'command:s', threadId: ANNA, text: 'a', bubbleType: 'normal', now: 1 });
    const part = { key: 'command:s#1', threadId: ANNA, text: 'b', bubbleType: 'normal', now: 1 } as const;
    store.sends.insert({ ...part, partOf: root.sendId });
    scheduler.start();
    schedule('s#1', 1000);
    schedule('t', 1001);
    scheduler.wake();
    await clock.advance(2000);
    expect(store.schedules.byId('s#1')).toMatchObject({ state: 'expired' });
    expect(store.commands.acksWaiting(0, 9)).toMatchObject([{ body: { command_id: 's#1', status: 'failed' } }]);
    expect(keys()).toEqual(['command:s', 'command:s#1', 'command:t']);
    expect(told('failure')).toEqual(['EDGE_INTERNAL']);
    expect(state).toMatchObject({ due: 1, settled: 1 });
  });

  it('sends at the start what fell due while the agent was away, in order', () => {
    const { store, scheduler, schedule } = rig();
    schedule('second', -1000);
    schedule('first', -2000);
    scheduler.start();
    expect(store.sends.openOf(ANNA).map((send) => send.text)).toEqual(['first', 'second']);
  });

  it('fires a backlog larger than a batch without waiting', async () => {
    const { clock, store, scheduler, schedule } = rig();
    for (let i = 0; i < 250; i++) schedule(`s${i}`, -1);
    scheduler.start();
    await clock.advance(0);
    expect(store.sends.openOf(ANNA)).toHaveLength(250);
  });

  it('notices within a minute that the wall clock was put right, and within two that it was set far ahead', async () => {
    const { clock, scheduler, schedule, keys } = rig();
    schedule('s1', 10 * MINUTE);
    schedule('s2', DAY);
    scheduler.start();
    clock.jumpWall(10 * MINUTE);
    await clock.advance(MINUTE);
    expect(keys()).toEqual(['command:s1']);
    clock.jumpWall(DAY - 11 * MINUTE);
    await clock.advance(MINUTE);
    expect(keys()).toHaveLength(1);
    await clock.advance(MINUTE);
    expect(keys()).toEqual(['command:s1', 'command:s2']);
  });

  it('sends and gives up nothing by a clock that shows another year for a moment', async () => {
    const { clock, store, scheduler, schedule, keys } = rig();
    schedule('s1', HOUR);
    schedule('s2', 365 * DAY);
    scheduler.start();
    await clock.advance(30_000);
    clock.jumpWall(365 * DAY);
    await clock.advance(70_000); // seen, and in doubt
    clock.jumpWall(-365 * DAY);
    await clock.advance(3 * MINUTE);
    expect(store.schedules.pendingCount()).toBe(2);
    expect(keys()).toEqual([]);
    await clock.advance(HOUR);
    expect(keys()).toEqual(['command:s1']);
  });

  it('loses no time of a series to a clock that shows another year for some minutes, and believes one that stays', async () => {
    const { clock, store, scheduler, schedule, series, keys } = rig();
    const firstAt = series('r', 'FREQ=DAILY', HOUR);
    schedule('s', 2 * HOUR);
    scheduler.start();
    await clock.advance(5 * MINUTE);
    clock.jumpWall(365 * DAY);
    await clock.advance(8 * MINUTE);
    clock.jumpWall(-365 * DAY);
    await clock.advance(2 * HOUR);
    expect(keys()).toEqual([`schedule:r:${firstAt}`, 'command:s']);
    clock.jumpWall(365 * DAY);
    await clock.advance(12 * MINUTE);
    expect(store.schedules.byId('r')).toMatchObject({ state: 'pending', sendAt: firstAt + 366 * DAY });
  });

  it('waits when the wall clock was set back', async () => {
    const { clock, scheduler, schedule, keys } = rig();
    schedule('s1', 5 * MINUTE);
    scheduler.start();
    await clock.advance(4 * MINUTE);
    clock.jumpWall(-HOUR);
    await clock.advance(HOUR);
    expect(keys()).toEqual([]);
    await clock.advance(MINUTE);
    expect(keys()).toEqual(['command:s1']);
  });

  it('fires nothing before its time that lies beyond the longest delay of a timer', async () => {
    const { clock, store, scheduler, schedule, keys } = rig();
    schedule('far', Date.UTC(9999, 11, 31) - clock.now());
    schedule('near', 3 * DAY);
    scheduler.start();
    await clock.advance(3 * DAY - 1);
    expect(keys()).toEqual([]);
    await clock.advance(1);
    expect(keys()).toEqual(['command:near']);
    expect(store.schedules.pendingCount()).toBe(1);
  });

  it('tries again when another process held state.db at the moment', async () => {
    const { clock, statePath, scheduler, schedule, state } = rig();
    schedule('s1', 5000);
    scheduler.start();
    const other = new Database(statePath);
    other.exec('BEGIN IMMEDIATE');
    await clock.advance(5000);
    expect(state.due).toBe(0);
    other.close();
    await clock.advance(1000);
    expect(state.due).toBe(1);
  });

  it('queues a long text as the bubbles it takes', () => {
    const { clock, store, schedule } = rig();
    schedule('a scheduled text of more than fifty characters, in two bubbles', -1);
    const { telemetry } = recordingTelemetry();
    const rest = { maxLateSeconds: 3600, canSend: () => true, onDue: () => {}, onSettled: () => {} };
    new Scheduler({ store, clock, telemetry, ...rest, maxBubbleChars: 50 }).start();
    expect(store.sends.openOf(ANNA).map((send) => send.text)).toEqual([
      'a scheduled text of more than fifty',
      'characters, in two bubbles',
    ]);
  });

  it('leaves no timer behind', () => {
    const { clock, scheduler, schedule } = rig();
    schedule('s1', 5000);
    scheduler.start();
    scheduler.stop();
    scheduler.wake();
    expect(clock.pending).toBe(0);
  });

  it('sends what is overdue by less than the limit, within a second of when it can', async () => {
    const { clock, scheduler, schedule, state, keys, told } = rig();
    state.canSend = false;
    schedule('s1', MINUTE);
    scheduler.start();
    await clock.advance(HOUR);
    expect(keys()).toEqual([]);
    state.canSend = true;
    await clock.advance(1000);
    expect(keys()).toEqual(['command:s1']);
    const lateMs = HOUR - MINUTE + 1000;
    expect(told('scheduleFired')).toMatchObject([{ scheduleId: 's1', lateMs, nextAt: undefined }]);
  });

  it('tells that it is expired what could not be sent in time, though nothing can be sent yet', async () => {
    const { clock, store, scheduler, schedule, state, keys, told } = rig();
    state.canSend = false;
    schedule('s1', MINUTE);
    scheduler.start();
    await clock.advance(HOUR + 3 * MINUTE);
    state.canSend = true;
    await clock.advance(HOUR);
    expect(keys()).toEqual([]);
    expect(store.schedules.byId('s1')?.state).toBe('expired');
    expect(store.commands.byId('s1')?.state).toBe('failed');
    const reason = 'EDGE_SCHEDULE_EXPIRED: expired: due at 2026-01-01T00:01:00.000Z, when nothing could be sent';
    expect(store.commands.acksWaiting(0, 9).map(({ body }) => body)).toMatchObject([
      { command_id: 's1', status: 'failed', success: false, error: reason },
    ]);
    expect(store.events.waiting(9)).toEqual([
      {
        event_id: 'failed:command:s1',
        event_type: 'message_failed',
        thread_id: ANNA,
        details: {
          send_id: null,
          key: 'command:s1',
          message_guid: null,
          schedule_id: 's1',
          reason,
          due_at: '2026-01-01T00:01:00.000Z',
          missed: 1,
        },
      },
    ]);
    expect(told('scheduleExpired')).toMatchObject([{ scheduleId: 's1', occurrences: 1, nextAt: undefined }]);
    expect(told('commandFailed')).toEqual(['s1']);
    expect(state.settled).toBe(1);
  });

  it('believes the clock of a Mac that just started only after a minute, when something would be too late by it', async () => {
    const { clock, store, boot, schedule, keys } = rig();
    schedule('old', MINUTE);
    schedule('young', 30 * DAY);
    clock.jumpWall(30 * DAY);
    boot();
    await clock.advance(MINUTE - 1);
    expect(store.schedules.pendingCount()).toBe(2);
    expect(keys()).toEqual([]);
    await clock.advance(1);
    expect(store.schedules.byId('old')?.state).toBe('expired');
    expect(keys()).toEqual(['command:young']);
  });

  it('sends at once what came with a time long past', () => {
    const { scheduler, schedule, keys } = rig();
    schedule('s1', -DAY);
    scheduler.start();
    expect(keys()).toEqual(['command:s1']);
  });

  it('forgives two minutes even where nothing is to be late', async () => {
    const { clock, store, state, telemetry, schedule, keys } = { ...rig(), ...recordingTelemetry() };
    const scheduler = new Scheduler({
      store,
      clock,
      telemetry,
      maxLateSeconds: 0,
      canSend: () => true,
      onDue: () => state.due++,
      onSettled: () => {},
    });
    schedule('s1', MINUTE);
    scheduler.start();
    clock.jumpWall(2 * MINUTE);
    await clock.advance(MINUTE);
    expect(keys()).toEqual(['command:s1']);
  });

  it('cancels for the person at the Mac', () => {
    const { store, scheduler, schedule, state } = rig();
    schedule('s1', MINUTE);
    scheduler.start();
    expect(scheduler.cancel('s1')).toBe('pending');
    expect(scheduler.cancel('s1')).toBe('cancelled');
    expect(scheduler.cancel('none')).toBeUndefined();
    expect(store.commands.acksWaiting(0, 9).map(({ body }) => body)).toMatchObject([
      { command_id: 's1', status: 'failed', error: 'cancelled' },
    ]);
    expect(state.settled).toBe(1);
  });
});

describe('Scheduler, with a recurrence', () => {
  it('sends each time once, across restarts, and its command ends with the last bubble', async () => {
    const { clock, store, scheduler, boot, series, keys, told } = rig();
    const firstAt = series('r', 'FREQ=DAILY;COUNT=3', HOUR);
    scheduler.start();
    await clock.advance(HOUR);
    scheduler.stop();
    boot();
    await clock.advance(DAY);
    expect(keys()).toEqual([`schedule:r:${firstAt}`, `schedule:r:${firstAt + DAY}`]);
    expect(store.schedules.byId('r')).toMatchObject({ state: 'pending', sendAt: firstAt + 2 * DAY, occurrences: 2 });
    expect(store.commands.byId('r')?.sendId).toBeNull();
    await clock.advance(9 * DAY);
    const last = store.sends.byKey(`schedule:r:${firstAt + 2 * DAY}`);
    expect(last).toMatchObject({ scheduleId: 'r', commandId: 'r', text: 'r', state: 'queued' });
    expect(store.commands.byId('r')?.sendId).toBe(last?.sendId);
    expect(store.schedules.byId('r')).toMatchObject({ state: 'fired' });
    expect(keys()).toHaveLength(3);
    expect(told('scheduleFired')).toMatchObject([
      { scheduleId: 'r', lateMs: 0, nextAt: firstAt + DAY },
      { nextAt: firstAt + 2 * DAY },
      { nextAt: undefined },
    ]);
    expect(clock.pending).toBe(0);
  });

  it('sends of several missed times the latest, and tells of the others', async () => {
    const { clock, store, scheduler, series, keys, told } = rig();
    const firstAt = series('r', 'FREQ=HOURLY', HOUR);
    clock.jumpWall(4 * HOUR + 30 * MINUTE);
    scheduler.start();
    await clock.advance(MINUTE);
    expect(keys()).toEqual([`schedule:r:${firstAt + 3 * HOUR}`]);
    expect(told('scheduleExpired')).toMatchObject([{ scheduleId: 'r', occurrences: 3, nextAt: firstAt + 4 * HOUR }]);
    expect(store.events.waiting(9)).toMatchObject([
      {
        event_id: `failed:schedule:r:${firstAt}`,
        details: { missed: 3, schedule_id: 'r', next_at: '2026-01-01T05:00:00.000Z' },
      },
    ]);
    expect(store.schedules.byId('r')).toMatchObject({ occurrences: 4, state: 'pending' });
    expect(store.commands.byId('r')?.state).toBe('received');
  });

  it('sends none of them when the latest is too old, and fails when none is to come', async () => {
    const { clock, store, scheduler, series, keys } = rig();
    series('on', 'FREQ=DAILY', HOUR);
    series('over', 'FREQ=DAILY;COUNT=2', HOUR);
    clock.jumpWall(3 * DAY);
    scheduler.start();
    await clock.advance(MINUTE);
    expect(keys()).toEqual([]);
    expect(store.schedules.byId('on')).toMatchObject({ state: 'pending', occurrences: 3 });
    expect(store.schedules.byId('over')).toMatchObject({ state: 'expired' });
    expect(store.commands.acksWaiting(0, 9).map(({ body }) => [body.command_id, body.error])).toEqual([
      [
        'over',
        'EDGE_SCHEDULE_EXPIRED: expired: due at 2026-01-01T01:00:00.000Z, the first of 2 times, when nothing could be sent',
      ],
    ]);
  });

  it('sends no time twice when the wall clock goes back over it', async () => {
    const { clock, scheduler, series, keys } = rig();
    series('r', 'FREQ=HOURLY', HOUR);
    scheduler.start();
    await clock.advance(2 * HOUR);
    clock.jumpWall(-HOUR - MINUTE);
    await clock.advance(2 * HOUR);
    expect(keys()).toHaveLength(2);
    await clock.advance(HOUR);
    expect(keys()).toHaveLength(3);
  });

  it('ends one whose rule it cannot read, and goes on with the others', async () => {
    const { clock, store, scheduler, schedule, series, keys, told } = rig();
    series('odd', 'FREQ=NEVER', HOUR);
    schedule('s1', HOUR);
    scheduler.start();
    await clock.advance(HOUR);
    expect(store.schedules.byId('odd')?.state).toBe('expired');
    expect(told('failure')).toEqual(['EDGE_INTERNAL']);
    expect(keys()).toEqual(['command:s1']);
  });

  it('does nothing of a round that state.db did not take', async () => {
    const { clock, statePath, store, scheduler, series, keys, told } = rig();
    const firstAt = series('r', 'FREQ=HOURLY', HOUR);
    scheduler.start();
    const other = new Database(statePath);
    await clock.advance(HOUR - 1);
    other.exec('BEGIN IMMEDIATE');
    await clock.advance(1);
    expect(store.schedules.byId('r')?.sendAt).toBe(firstAt);
    expect(told('scheduleFired')).toEqual([]);
    other.close();
    await clock.advance(1000);
    expect(keys()).toEqual([`schedule:r:${firstAt}`]);
    expect(store.schedules.byId('r')?.sendAt).toBe(firstAt + HOUR);
  });
});
