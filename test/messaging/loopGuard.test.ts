import { describe, expect, it } from 'vitest';
import { CommandHandler } from '../../src/commands/CommandHandler.ts';
import { admitAnswer, blockLoop, type LoopGuard } from '../../src/messaging/loopGuard.ts';
import type { MessageResponse } from '../../src/protocol/wire.ts';
import { messageResponseSchema } from '../../src/protocol/wire.ts';
import { queueAnswer } from '../../src/relay/queueAnswer.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { insertPending, openStore } from '../relay/fakes.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';

const ANNA = '+15550100002';
const BERT = '+15550100003';
const WINDOW_MS = 600_000;
const LIMIT = 3;

/** A backend that answers and commands, in front of a guard of three answers in ten minutes. */
function setUp() {
  const clock = new FakeClock();
  const { store: opened, path } = openStore(clock);
  let store = opened;
  const trips: string[] = [];
  const loopGuard: LoopGuard = { limit: LIMIT, windowMs: WINDOW_MS, onTripped: (detail) => trips.push(detail) };
  let ids = 0;
  const answer = (response: Partial<MessageResponse> = { reply_text: 'hi' }, threadId = ANNA) => {
    const guid = `guid-${++ids}`;
    insertPending(store, guid, threadId, clock.now());
    const inbound = { ...store.inbound.byGuid(guid)!, threadId };
    const whole = messageResponseSchema.parse({ should_respond: true, ...response });
    const queued = store.transaction(() => queueAnswer(store, inbound, whole, clock.now(), { loopGuard }));
    return { ...queued, states: store.sends.byGroup(`reply:${guid}`).map((row) => row.state), key: `reply:${guid}` };
  };
  const command = (bubbleType: string, text = 'hi', commandId = `c${++ids}`) => {
    const nothing = { onSends: () => {}, onSchedules: () => {}, onAcks: () => {} };
    const { telemetry } = recordingTelemetry();
    const handler = new CommandHandler({ store, clock, telemetry, loopGuard, ...nothing });
    const payload = { thread_id: ANNA, text, bubble_type: bubbleType };
    handler.handle({ command_id: commandId, command_type: 'send_message_now', payload }, 'websocket');
    return store.sends.byKey(`command:${commandId}`);
  };
  const confirmAll = () => {
    for (const row of store.sends.openOf(ANNA)) {
      store.sends.markConfirmed(row.sendId, { guid: `receipt-${row.sendId}`, rowid: row.sendId }, clock.now());
    }
  };
  const events = () => store.events.waiting(10);
  const acks = () => store.commands.acksWaiting(0, 100).map((ack) => ack.body);
  const restart = () => {
    store.close();
    store = StateStore.open(path, clock.now());
  };
  return {
    clock,
    answer,
    command,
    confirmAll,
    events,
    acks,
    trips,
    restart,
    strict: { ...loopGuard, limit: 1 },
    store: () => store,
  };
}

describe('the loop guard', () => {
  it('lets a thread have as many answers as allowed, and tells once when it gets one more', async () => {
    const { answer, events, trips, store } = setUp();
    for (let n = 0; n < LIMIT; n++) expect(answer()).toMatchObject({ bubbles: 1, states: ['queued'] });
    expect(events()).toEqual([]);
    expect(answer({ reply_bubbles: ['a', 'b'] })).toMatchObject({ bubbles: 0, states: ['failed', 'failed'] });
    expect(answer()).toMatchObject({ bubbles: 0, states: ['failed'] });
    await Promise.resolve();
    expect(trips).toEqual([expect.stringMatching(/more than 3 automatic answers in 600 s; none is sent until 20/)]);
    expect(events()).toMatchObject([{ event_type: 'error', thread_id: ANNA, details: { code: 'EDGE_ANSWER_LOOP' } }]);
    expect(Object.keys(events()[0]!.details)).toEqual(['code', 'message', 'fix']);
    expect(store().sends.byKey('reply:guid-4:0')).toMatchObject({ text: 'a', errorCode: 'EDGE_ANSWER_LOOP' });
    expect(store().sends.openOf(ANNA)).toHaveLength(LIMIT);
  });

  it('counts answers, not their bubbles', () => {
    const { answer } = setUp();
    for (let n = 0; n < LIMIT; n++) expect(answer({ reply_bubbles: ['a', 'b', 'c', 'd'] }).bubbles).toBe(4);
    expect(answer().bubbles).toBe(0);
  });

  it('does not count messages that were not answered', () => {
    const { answer, trips } = setUp();
    for (let n = 0; n < 2 * LIMIT; n++) answer({ should_respond: false });
    expect(answer().bubbles).toBe(1);
    expect(trips).toEqual([]);
  });

  it('mutes one thread and no other', () => {
    const { answer } = setUp();
    for (let n = 0; n <= LIMIT; n++) answer();
    expect(answer({ reply_text: 'hi' }, BERT).bubbles).toBe(1);
  });

  it('counts reflex commands, and fails them with the code while the thread is muted', () => {
    const { command, acks, events } = setUp();
    for (let n = 0; n < LIMIT; n++) expect(command('reflex', `text ${n}`)?.state).toBe('queued');
    expect(command('reflex', 'one more')).toMatchObject({ state: 'failed', errorCode: 'EDGE_ANSWER_LOOP' });
    expect(acks()).toMatchObject([
      { success: false, status: 'failed', error: expect.stringMatching(/^EDGE_ANSWER_LOOP/) },
    ]);
    expect(events()).toHaveLength(1);
  });

  it('stops no other command', () => {
    const { answer, command } = setUp();
    for (let n = 0; n <= LIMIT; n++) answer();
    expect(command('normal')?.state).toBe('queued');
    expect(command('burst')?.state).toBe('queued');
  });

  it('takes an answer and the reflex pushed ahead of it for one', () => {
    const { answer, command, confirmAll, trips } = setUp();
    for (let n = 0; n < LIMIT; n++) {
      command('reflex', `text ${n}`, `reflex-${n}`);
      confirmAll();
      const queued = answer({
        reflex_message: `text ${n}`,
        reflex_command_id: `reflex-${n}`,
        burst_messages: ['more'],
      });
      expect(queued).toMatchObject({ bubbles: 2, states: ['superseded', 'queued'] });
    }
    expect(trips).toEqual([]);
    expect(answer().bubbles).toBe(0);
  });

  it('does not send a bubble again that its reflex has said before the thread was muted', () => {
    const { answer, command, confirmAll } = setUp();
    command('reflex', 'hello', 'r1');
    confirmAll();
    for (let n = 0; n < LIMIT; n++) answer();
    const queued = answer({ reflex_message: 'hello', reflex_command_id: 'r1', burst_messages: ['more'] });
    expect(queued).toMatchObject({ bubbles: 1, blocked: 1, states: ['superseded', 'failed'] });
  });

  it('leaves a bubble with its reflex that is on its way', () => {
    const { answer, command, store } = setUp();
    for (let n = 0; n < LIMIT - 1; n++) answer();
    const reflex = command('reflex', 'hello', 'r1')!;
    answer({ reply_text: 'too much' });
    const queued = answer({ reflex_message: 'hello', reflex_command_id: 'r1', burst_messages: ['more'] });
    expect(queued.states).toEqual(['held', 'failed']);
    expect(store().sends.heldBy(reflex.sendId)).toHaveLength(1);
  });

  it('sends no reflex that comes late for an answer that was stopped', () => {
    const { answer, command } = setUp();
    for (let n = 0; n < LIMIT; n++) answer();
    answer({ reflex_message: 'hello', reflex_command_id: 'r1' });
    expect(command('reflex', 'hello', 'r1')).toMatchObject({ state: 'failed', errorCode: 'EDGE_ANSWER_LOOP' });
  });

  it('ends by itself a window later, and tells again when it begins again', () => {
    const { answer, events, clock } = setUp();
    for (let n = 0; n <= LIMIT; n++) answer();
    clock.jumpWall(WINDOW_MS - 1);
    expect(answer().bubbles).toBe(0);
    clock.jumpWall(1);
    for (let n = 0; n < LIMIT; n++) expect(answer().bubbles).toBe(1);
    expect(events()).toHaveLength(1);
    expect(answer().bubbles).toBe(0);
    expect(events().map((event) => event.event_id)).toHaveLength(2);
  });

  it('does not count what is older than the window', () => {
    const { answer, clock } = setUp();
    for (let n = 0; n < 4 * LIMIT; n++) {
      expect(answer().bubbles).toBe(1);
      clock.jumpWall(WINDOW_MS / LIMIT);
    }
  });

  it('remembers the count and the muted thread across a restart', () => {
    const { answer, restart, events } = setUp();
    for (let n = 0; n < LIMIT; n++) answer();
    restart();
    expect(answer().bubbles).toBe(0);
    restart();
    expect(answer().bubbles).toBe(0);
    expect(events()).toHaveLength(1);
  });

  it('tells nobody when the transaction is undone', async () => {
    const { store, trips, events, clock, answer, strict } = setUp();
    for (let n = 0; n < LIMIT; n++) answer();
    const rows = store().sends.openOf(ANNA);
    const failing = () =>
      store().transaction(() => {
        expect(blockLoop(store(), strict, { threadId: ANNA, now: clock.now(), rows })).toBe(LIMIT);
        throw new Error('undone');
      });
    expect(failing).toThrow('undone');
    await Promise.resolve();
    expect([trips, events()]).toEqual([[], []]);
    expect(store().sends.openOf(ANNA)).toHaveLength(LIMIT);
    const o = { threadId: ANNA, now: clock.now(), limit: LIMIT, windowMs: WINDOW_MS };
    expect(admitAnswer(store(), o)).toBe('allowed');
  });

  it('does not count what was answered while the clock was ahead', () => {
    const { answer, clock, store } = setUp();
    for (let n = 0; n < 4 * LIMIT; n++) {
      expect(answer().bubbles).toBe(1);
      clock.jumpWall(WINDOW_MS / LIMIT);
    }
    clock.jumpWall(-86_400_000);
    for (let n = 0; n < LIMIT; n++) expect(answer().bubbles).toBe(1);
    expect(answer().bubbles).toBe(0);
    expect(store().mutedThreads.until(ANNA, clock.now())).toBe(clock.now() + WINDOW_MS);
  });

  it('is over when the clock was set back before it began', () => {
    const { answer, clock, store } = setUp();
    for (let n = 0; n <= LIMIT; n++) answer();
    const now = clock.now() - 1;
    expect(store().mutedThreads.until(ANNA, now)).toBeUndefined();
    expect(store().mutedThreads.until(ANNA, now + 1)).toBe(now + 1 + WINDOW_MS);
  });
});
