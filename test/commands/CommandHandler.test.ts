import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CommandHandler } from '../../src/commands/CommandHandler.ts';
import { MAX_SCHEDULES } from '../../src/commands/scheduleMessage.ts';
import { MAX_COMMAND_ID_LENGTH } from '../../src/protocol/wire.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

const ANNA = '+15550100001';

function rig(maxOpenCommands?: number, maxBubbleChars?: number) {
  const clock = new FakeClock();
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
  onTestFinished(() => store.close());
  const { telemetry, calls } = recordingTelemetry();
  const woken: string[] = [];
  const handler = new CommandHandler({
    store,
    clock,
    telemetry,
    onSends: () => woken.push('sends'),
    onSchedules: () => woken.push('schedules'),
    onAcks: () => woken.push('acks'),
    ...(maxOpenCommands === undefined ? {} : { maxOpenCommands }),
    ...(maxBubbleChars === undefined ? {} : { maxBubbleChars }),
  });
  let ids = 0;
  const command = (type: string, payload: unknown, change: object = {}) => {
    const id = `c${++ids}`;
    handler.handle({ command_id: id, command_type: type, payload, ...change }, 'websocket');
    return id;
  };
  const acks = () => store.commands.acksWaiting(0, 100).map((ack) => ack.body);
  const told = (event: string) => calls.filter((call) => call.event === event).map((call) => call.args);
  return { clock, store, handler, command, acks, told, woken };
}

describe('CommandHandler', () => {
  it('queues the bubble of send_message_now, whose outcome is told later', () => {
    const { store, command, acks, woken } = rig();
    const id = command(
      'send_message_now',
      { thread_id: ANNA, text: 'hi', bubble_type: 'burst' },
      { priority: 'immediate' },
    );
    expect(store.sends.headOf(ANNA)).toMatchObject({
      key: `command:${id}`,
      text: 'hi',
      bubbleType: 'burst',
      immediate: 1,
      commandId: id,
    });
    expect(store.commands.byId(id)?.sendId).toBe(store.sends.headOf(ANNA)?.sendId);
    expect(acks()).toEqual([]);
    expect(woken).toEqual(['sends']);
  });

  it('queues a long text as the bubbles it takes, all of them urgent when the command is', () => {
    const { store, command } = rig(undefined, 50);
    const text = 'One sentence that is nearly as long as a bubble. And another one.';
    const id = command('send_message_now', { thread_id: ANNA, text }, { priority: 'immediate' });
    expect(store.sends.openOf(ANNA)).toMatchObject([
      { key: `command:${id}`, text: 'One sentence that is nearly as long as a bubble.', immediate: 1, partOf: null },
      { key: `command:${id}#1`, text: 'And another one.', immediate: 1, partOf: 1 },
    ]);
    expect(store.commands.byId(id)?.sendId).toBe(1);
  });

  it('fails a command whose id is that of a part of another, rather than take the one for the other', () => {
    const { store, handler, acks } = rig(undefined, 50);
    const payload = { thread_id: ANNA, text: 'x'.repeat(60) };
    handler.handle({ command_id: 'a', command_type: 'send_message_now', payload }, 'sync');
    handler.handle({ command_id: 'a#1', command_type: 'send_message_now', payload }, 'sync');
    expect(store.sends.openOf(ANNA)).toHaveLength(2);
    expect(acks()).toMatchObject([{ command_id: 'a#1', status: 'failed' }]);
  });

  it('answers a command_type as long as a frame with an ack that fits into one', () => {
    const { store, command, acks } = rig();
    const id = command('x'.repeat(1_000_000), {});
    expect(acks()[0]).toMatchObject({ success: false, error: `unsupported command_type: ${'x'.repeat(100)}` });
    expect(store.commands.byId(id)?.commandType).toHaveLength(100);
  });

  it.each([
    ['message_text for text', { command_type: 'send_message_now', payload: { thread_id: ANNA, message_text: 'hi' } }],
    ['params for payload', { command_type: 'send_message_now', params: { thread_id: ANNA, text: 'hi' } }],
    ['parameters for payload', { command_type: 'send_message_now', parameters: { thread_id: ANNA, text: 'hi' } }],
    [
      'a timestamp that is none',
      { command_type: 'send_message_now', payload: { thread_id: ANNA, text: 'hi' }, timestamp: 7 },
    ],
  ])('accepts %s', (_name, fields) => {
    const { store, handler } = rig();
    handler.handle({ command_id: 'x', ...fields }, 'sync');
    expect(store.sends.headOf(ANNA)?.text).toBe('hi');
  });

  it('executes a command_id once, whatever channel it comes by, and gives its ack again', () => {
    const { store, clock, handler, told, woken } = rig();
    const raw = { command_id: 'x', command_type: 'list_scheduled', payload: {} };
    handler.handle(raw, 'websocket');
    store.commands.markHandedOver(store.commands.acksWaiting(0, 1)[0]!.ackId, clock.now());
    expect(store.commands.acksWaitingCount()).toBe(0);
    handler.handle({ ...raw, command_type: 'send_message_now', payload: { thread_id: ANNA, text: 'hi' } }, 'sync');
    expect(store.commands.acksWaitingCount()).toBe(1);
    expect(store.sends.openThreads()).toEqual([]);
    expect(told('commandRepeated')).toEqual([['x']]);
    expect(woken).toEqual(['acks', 'acks']);
  });

  it.each([
    ['send_message_now', { thread_id: ANNA }, 'text'],
    ['send_message_now', { text: 'hi' }, 'thread_id'],
    ['send_message_now', { thread_id: ANNA, text: 'hi', bubble_type: 'huge' }, 'bubble_type'],
    ['schedule_message', { thread_id: ANNA, text: 'hi', send_at: 'tomorrow' }, 'send_at'],
    ['cancel_scheduled', {}, 'schedule_id'],
    ['cancel_scheduled', { schedule_id: 'none' }, 'schedule_id'],
    ['cancel_scheduled', { schedule_id: 'x'.repeat(MAX_COMMAND_ID_LENGTH + 1) }, 'schedule_id: Too big'],
    ['list_scheduled', { status: 'odd' }, 'status'],
    ['send_message_now', 'hi', 'payload'],
  ])('answers a bad payload of %s with a failed ack that names the field: %j', (type, payload, field) => {
    const { command, acks, told, woken } = rig();
    const id = command(type, payload);
    expect(acks()).toMatchObject([
      { command_id: id, success: false, status: 'failed', error: expect.stringContaining(field) },
    ]);
    expect(told('commandFailed')).toHaveLength(1);
    expect(woken).toEqual(['acks']);
  });

  it('answers an unknown type and a command without one', () => {
    const { command, handler, acks } = rig();
    command('dance', {});
    handler.handle({ command_id: 'y' }, 'websocket');
    expect(acks().map((ack) => ack.error)).toEqual([
      'unsupported command_type: dance',
      expect.stringContaining('command_type'),
    ]);
  });

  it.each([
    [null],
    ['x'],
    [[]],
    [{}],
    [{ command_id: 7, command_type: 'x' }],
    [{ command_id: '' }],
    [{ command_id: 'x'.repeat(129) }],
    [{ command_id: 'half a character: \ud83d', command_type: 'list_scheduled' }],
  ])('refuses what cannot be answered: %j', (raw) => {
    const { handler, acks, told } = rig();
    handler.handle(raw, 'websocket');
    expect(acks()).toEqual([]);
    expect(told('frameRefused')).toHaveLength(1);
  });

  it('keeps a payload nested beyond reason out of the store', () => {
    const { store, handler } = rig();
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    handler.handle(
      { command_id: 'x', command_type: 'send_message_now', payload: { thread_id: ANNA, text: 'hi', deep } },
      'sync',
    );
    expect(JSON.parse(store.commands.byId('x')!.payload)).toEqual({
      thread_id: ANNA,
      text: 'hi',
      bubble_type: 'normal',
    });
  });

  it('gives its ack again from the outcome when the ack itself is no longer kept', () => {
    const { store, handler, command, acks, clock } = rig();
    const id = command('no_such_type', {});
    for (const { ackId } of store.commands.acksWaiting(0, 10)) store.commands.markHandedOver(ackId, clock.now());
    while (store.prune(clock.now() + 3650 * 86_400_000) > 0);
    handler.handle({ command_id: id, command_type: 'no_such_type', payload: {} }, 'sync');
    expect(acks()).toMatchObject([{ command_id: id, status: 'failed', success: false }]);
  });

  it('fails a command that meets a defect of the agent, undoes what it did, and goes on with the next', () => {
    const { store, command, acks, told } = rig();
    const insert = store.sends.insert.bind(store.sends);
    store.sends.insert = (send) => {
      insert(send);
      throw new TypeError('a defect');
    };
    const broken = command('send_message_now', { thread_id: ANNA, text: 'hi' });
    store.sends.insert = insert;
    command('send_message_now', { thread_id: ANNA, text: 'next' });
    expect(acks()).toMatchObject([
      { command_id: broken, status: 'failed', error: expect.stringContaining('EDGE_INTERNAL') },
    ]);
    expect(store.sends.openOf(ANNA).map(({ text }) => text)).toEqual(['next']);
    expect(told('failure')).toEqual([['EDGE_INTERNAL', `command ${broken}: a defect`]]);
  });

  it('takes no more when too many are open, and is asked again later', () => {
    const { store, command, handler } = rig(2);
    command('send_message_now', { thread_id: ANNA, text: '1' });
    const second = command('send_message_now', { thread_id: ANNA, text: '2' });
    expect(() => command('send_message_now', { thread_id: ANNA, text: '3' })).toThrow(
      expect.objectContaining({ code: 'EDGE_COMMANDS_FULL' }),
    );
    expect(store.commands.byId('c3')).toBeUndefined();
    handler.handle({ command_id: second, command_type: 'send_message_now' }, 'sync'); // known: no refusal
  });

  it('has room again when a tenth of what may wait is free', () => {
    const { store, clock, command, handler } = rig(20);
    const ids = Array.from({ length: 20 }, () => command('send_message_now', { thread_id: ANNA, text: 'x' }));
    expect([handler.waiting, handler.hasRoom()]).toEqual([20, false]);
    store.commands.finish(ids[0]!, 'completed', clock.now());
    expect(handler.hasRoom()).toBe(false);
    store.commands.finish(ids[1]!, 'completed', clock.now());
    expect(handler.hasRoom()).toBe(true);
  });
});

describe('CommandHandler, with schedules', () => {
  const later = '2030-01-01T08:00:00Z';
  const schedule = { thread_id: ANNA, text: 'later', send_at: later };

  it('acknowledges a schedule as received once it is on disk', () => {
    const { store, command, acks, woken } = rig();
    const id = command('schedule_message', { thread_id: ANNA, text: 'later', send_at: '2030-01-01T09:00:00+01:00' });
    expect(store.schedules.byId(id)).toMatchObject({ text: 'later', sendAt: Date.parse(later), state: 'pending' });
    expect(acks()).toMatchObject([{ command_id: id, status: 'received', success: true }]);
    expect(woken).toEqual(['schedules', 'acks']);
  });

  it('counts no schedule among the commands that wait, so that it can be cancelled however many there are', () => {
    const { command, acks } = rig(2);
    const [id] = [1, 2, 3].map(() => command('schedule_message', schedule));
    command('cancel_scheduled', { schedule_id: id });
    expect(acks().at(-1)).toMatchObject({ status: 'completed' });
    command('send_message_now', { thread_id: ANNA, text: '1' });
    command('send_message_now', { thread_id: ANNA, text: '2' });
    expect(() => command('send_message_now', { thread_id: ANNA, text: '3' })).toThrow('2 commands');
  });

  it('refuses a schedule past the limit with an ack that says so', () => {
    const { store, command, acks } = rig();
    store.transaction(() => {
      for (let n = 0; n < MAX_SCHEDULES; n++) {
        store.schedules.insert({ scheduleId: `s${n}`, threadId: ANNA, text: 'later', sendAt: 1e15, now: 0 });
      }
    });
    const id = command('schedule_message', schedule);
    expect(acks()).toMatchObject([{ command_id: id, status: 'failed', error: '10000 messages are scheduled already' }]);
    expect(store.schedules.byId(id)).toBeUndefined();
  });

  it('cancels a schedule, whose own command then fails as cancelled', () => {
    const { store, command, acks } = rig();
    const schedule = command('schedule_message', { thread_id: ANNA, message_text: 'later', send_at: later });
    const cancel = command('cancel_scheduled', { schedule_id: schedule });
    const again = command('cancel_scheduled', { schedule_id: schedule });
    expect(store.schedules.byId(schedule)?.state).toBe('cancelled');
    expect(acks().map((ack) => [ack.command_id, ack.status, ack.error])).toEqual([
      [schedule, 'received', null],
      [schedule, 'failed', 'cancelled'],
      [cancel, 'completed', null],
      [again, 'failed', 'schedule_id: already cancelled'],
    ]);
  });

  it('lists what is pending, or what was asked for', () => {
    const { command, acks } = rig();
    const first = command('schedule_message', { thread_id: ANNA, text: 'one', send_at: later });
    const second = command('schedule_message', { thread_id: ANNA, text: 'two', send_at: later });
    command('cancel_scheduled', { schedule_id: second });
    const list = (payload: object) => {
      const id = command('list_scheduled', payload);
      const result = acks().find((ack) => ack.command_id === id)?.result as { scheduled_messages: object[] };
      return result.scheduled_messages;
    };
    expect(list({})).toEqual([
      {
        schedule_id: first,
        thread_id: ANNA,
        message_text: 'one',
        send_at: '2030-01-01T08:00:00.000Z',
        status: 'pending',
      },
    ]);
    expect(list({ status: 'cancelled' })).toMatchObject([{ schedule_id: second }]);
    expect(list({ status: 'all' })).toHaveLength(2);
  });

  it('keeps the list within what a frame may hold, and says so', () => {
    const { command, acks } = rig();
    for (let i = 0; i < 6; i++)
      command('schedule_message', { thread_id: ANNA, text: 'x'.repeat(100_000), send_at: later });
    const id = command('list_scheduled', {});
    const result = acks().find((ack) => ack.command_id === id)?.result as {
      scheduled_messages: object[];
      truncated: boolean;
    };
    expect(result.scheduled_messages).toHaveLength(5);
    expect(result.truncated).toBe(true);
  });

  it('lists the others where one is too long to be listed', () => {
    const { command, acks } = rig();
    command('schedule_message', { thread_id: ANNA, text: '漢'.repeat(180_000), send_at: '2029-01-01T08:00:00Z' });
    const short = command('schedule_message', { thread_id: ANNA, text: 'x', send_at: later });
    const id = command('list_scheduled', {});
    expect(acks().find((ack) => ack.command_id === id)?.result).toMatchObject({
      scheduled_messages: [{ schedule_id: short }],
      truncated: true,
    });
  });
});
