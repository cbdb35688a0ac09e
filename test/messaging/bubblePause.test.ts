import { describe, expect, it } from 'vitest';
import { pauseMs } from '../../src/messaging/pauses.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import { EXIT_0 } from './FakeMac.ts';
import { ANNA, BEN, type SenderRig, senderRig } from './senderRig.ts';

/** Queues an answer of these bubbles. */
function answer(rig: SenderRig, texts: readonly string[], threadId = ANNA): SendRow[] {
  const position = rig.store.sends.lastPosition(threadId) + 1;
  const groupKey = `reply:G${position}-${rig.clock.now()}`;
  return texts.map((text, bubbleIndex) =>
    rig.queue(threadId, text, { key: `${groupKey}:${bubbleIndex}`, groupKey, position, bubbleIndex }),
  );
}

describe('a pause', () => {
  it('is nothing, what was set, or by the length of the bubble that comes', () => {
    expect(pauseMs('none', 100)).toBe(0);
    expect(pauseMs(750, 100)).toBe(750);
    expect(pauseMs('natural', 0)).toBe(400);
    expect(pauseMs('natural', 80)).toBe(2800);
    expect(pauseMs('natural', 100_000)).toBe(6000);
  });

  it('is made before each further bubble of an answer, by its length, and not before another answer', async () => {
    const rig = senderRig({ bubblePause: 'natural' });
    answer(rig, ['one', 'x'.repeat(20), 'y'.repeat(500)]);
    answer(rig, ['next']);
    await rig.wake();
    expect(rig.texts()).toHaveLength(1);
    await rig.clock.advance(999);
    expect(rig.texts()).toHaveLength(1);
    await rig.clock.advance(1);
    expect(rig.texts()).toHaveLength(2);
    await rig.clock.advance(5999);
    expect(rig.texts()).toHaveLength(2);
    await rig.clock.advance(1);
    expect(rig.texts().slice(2)).toEqual(['y'.repeat(500), 'next']);
  });

  it('holds up no other thread', async () => {
    const rig = senderRig({ bubblePause: 5000 });
    answer(rig, ['a1', 'a2']);
    await rig.wake();
    await rig.clock.advance(2000);
    answer(rig, ['b1'], BEN);
    await rig.wake();
    expect(rig.texts()).toEqual(['a1', 'b1']);
    await rig.clock.advance(3000);
    expect(rig.texts()).toEqual(['a1', 'b1', 'a2']);
  });

  it('counts from the beginning of the bubble before, so that a slow Messages makes none longer', async () => {
    const rig = senderRig({ bubblePause: 2000 });
    rig.mac.onRun = () => EXIT_0;
    answer(rig, ['a1', 'a2']);
    await rig.wake();
    await rig.clock.advance(1500);
    rig.mac.write({ target: ANNA, text: 'a1' });
    await rig.changed();
    expect(rig.texts()).toEqual(['a1']);
    await rig.clock.advance(500);
    expect(rig.texts()).toEqual(['a1', 'a2']);
  });

  it('goes on after a restart where it was', async () => {
    const rig = senderRig({ bubblePause: 5000 });
    answer(rig, ['a1', 'a2']);
    await rig.wake();
    await rig.clock.advance(3000);
    rig.crash();
    await rig.clock.advance(1999);
    expect(rig.texts()).toEqual(['a1']);
    await rig.clock.advance(1);
    expect(rig.texts()).toEqual(['a1', 'a2']);
  });

  it('does not last for days because the clock was set back', async () => {
    const rig = senderRig({ bubblePause: 5000 });
    answer(rig, ['a1', 'a2']);
    await rig.wake();
    rig.clock.jumpWall(-2 * 86_400_000);
    await rig.clock.advance(5000);
    expect(rig.texts()).toEqual(['a1', 'a2']);
  });

  it('comes between a reflex and the answer behind it', async () => {
    const rig = senderRig({ bubblePause: 3000 });
    rig.command('r1', ANNA, 'one sec', { bubbleType: 'reflex', immediate: true });
    await rig.wake();
    const group = { groupKey: 'reply:G', position: 1 };
    rig.queue(ANNA, 'one sec', { ...group, key: 'reply:G:0', state: 'superseded', reflexCommandId: 'r1' });
    rig.queue(ANNA, 'here it is', { ...group, key: 'reply:G:1', bubbleIndex: 1 });
    await rig.wake();
    await rig.clock.advance(2999);
    expect(rig.texts()).toEqual(['one sec']);
    await rig.clock.advance(1);
    expect(rig.texts()).toEqual(['one sec', 'here it is']);
  });

  it('is made neither before an immediate bubble nor before those it has to wait for', async () => {
    const rig = senderRig({ bubblePause: 60_000 });
    answer(rig, ['a1', 'a2', 'a3']);
    await rig.wake();
    expect(rig.texts()).toEqual(['a1']);
    rig.queue(ANNA, 'urgent', { immediate: true });
    answer(rig, ['b1', 'b2']);
    await rig.wake();
    expect(rig.texts()).toEqual(['a1', 'a2', 'a3', 'urgent', 'b1']);
  });
});

it('keeps the delay of a burst across a restart', async () => {
  const rig = senderRig();
  const burst = rig.queue(ANNA, 'later', { bubbleType: 'burst', notBeforeAt: rig.clock.now() + 4000 });
  await rig.wake();
  await rig.clock.advance(1000);
  rig.crash();
  await rig.clock.advance(2999);
  expect(rig.state(burst)).toBe('queued');
  await rig.clock.advance(1);
  expect(rig.state(burst)).toBe('confirmed');
});
