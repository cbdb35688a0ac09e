import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CommandHandler } from '../../src/commands/CommandHandler.ts';
import type { NewSend } from '../../src/state/SendRow.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

const ANNA = '+15550100001';

/** An answer's first bubble is in the store; then the reflex command comes. */
function rig(change: Partial<NewSend> = {}) {
  const clock = new FakeClock();
  const now = clock.now();
  const store = StateStore.open(join(tempDir(), 'state.db'), now);
  onTestFinished(() => store.close());
  const { telemetry, calls } = recordingTelemetry();
  const wake = () => {};
  const handler = new CommandHandler({ store, clock, telemetry, onSends: wake, onSchedules: wake, onAcks: wake });
  const bubble = store.sends.insert({
    key: 'reply:G1:0',
    groupKey: 'reply:G1',
    threadId: ANNA,
    text: 'hey',
    bubbleType: 'normal',
    now,
    ...change,
  });
  const reflex = (text = 'hey') =>
    handler.handle(
      { command_id: 'r1', command_type: 'send_message_now', payload: { thread_id: ANNA, text, bubble_type: 'reflex' } },
      'websocket',
    );
  const acks = () => store.commands.acksWaiting(0, 10).map((ack) => ack.body);
  return { store, now, bubble, reflex, acks, calls };
}

describe('a reflex command that comes after its answer', () => {
  it('is not sent, and tells the outcome of the answer’s bubble', () => {
    const { store, bubble, reflex, acks, calls } = rig();
    reflex();
    expect(store.sends.byKey('command:r1')).toBeUndefined();
    expect(store.sends.byId(bubble.sendId)?.reflexCommandId).toBe('r1');
    expect(store.commands.openBySend(bubble.sendId)).toMatchObject([{ commandId: 'r1' }]);
    expect(acks()).toEqual([]);
    expect(calls).toContainEqual({
      event: 'reflexMatched',
      args: [{ commandId: 'r1', threadId: ANNA, kept: 'answer' }],
    });
  });

  it('is completed at once when that bubble is confirmed', () => {
    const { store, now, bubble, reflex, acks } = rig();
    store.sends.markConfirmed(bubble.sendId, { guid: 'G9', rowid: 9 }, now);
    reflex();
    expect(acks()).toMatchObject([{ command_id: 'r1', status: 'completed', result: { message_guid: 'G9' } }]);
  });

  it('is sent itself when that bubble failed', () => {
    const { store, now, bubble, reflex } = rig({ reflexCommandId: 'r1' });
    store.sends.finish(bubble.sendId, 'failed', now, 'EDGE_SEND_REFUSED', 'message.error 22');
    reflex();
    expect(store.sends.byKey('command:r1')?.state).toBe('queued');
  });

  it('fails when nobody knows whether that bubble went out', () => {
    const { store, now, bubble, reflex, acks } = rig();
    store.sends.finish(bubble.sendId, 'unknown', now, 'EDGE_SEND_UNCONFIRMED', 'unknown outcome');
    reflex();
    expect(store.sends.byKey('command:r1')).toBeUndefined();
    expect(acks()).toMatchObject([{ status: 'failed', error: 'unknown outcome' }]);
  });

  it('is the bubble that the answer named, though it reads otherwise', () => {
    const { store, reflex } = rig({ reflexCommandId: 'r1', text: 'Hey there' });
    reflex();
    expect(store.sends.byKey('command:r1')).toBeUndefined();
  });

  it('is sent when the answer that named it is of another thread, whatever its own thread says', () => {
    const { store, now, bubble, reflex } = rig();
    store.sends.insert({
      key: 'reply:G2:0',
      groupKey: 'reply:G2',
      threadId: '+15550100002',
      text: 'hey',
      bubbleType: 'normal',
      reflexCommandId: 'r1',
      now,
    });
    reflex();
    expect(store.sends.byKey('command:r1')?.state).toBe('queued');
    expect(store.sends.byId(bubble.sendId)?.reflexCommandId).toBeNull();
  });

  it('is sent when it says something else, or the bubble has its reflex already', () => {
    const other = rig();
    other.reflex('hello');
    expect(other.store.sends.byKey('command:r1')).toBeDefined();
    const taken = rig({ reflexCommandId: 'r0' });
    taken.reflex();
    expect(taken.store.sends.byKey('command:r1')).toBeDefined();
  });
});
