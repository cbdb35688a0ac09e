import { describe, expect, it } from 'vitest';
import { EXIT_0 } from './FakeMac.ts';
import { ANNA, SETTLE_MS, type SenderRig, senderRig } from './senderRig.ts';

/** A text of three bubbles, as queueText writes it. */
function threeParts(rig: SenderRig, notBeforeAt = 0) {
  const root = rig.command('c1', ANNA, 'one');
  const whole = { partOf: root.sendId, groupKey: root.groupKey, notBeforeAt };
  const part = (text: string, bubbleIndex: number) =>
    rig.queue(ANNA, text, { key: `${root.key}#${bubbleIndex}`, bubbleIndex, ...whole });
  return [root, part('two', 1), part('three', 2)] as const;
}

describe('a part that turns out failed while the next one waits for its turn', () => {
  it('keeps the rest unsent when it had been confirmed', async () => {
    const rig = senderRig({ bubblePause: 6000 });
    const [root, second, third] = threeParts(rig);
    await rig.wake();
    expect(rig.state(root)).toBe('confirmed');
    rig.mac.amend(101, { isSent: false, error: 22 });
    await rig.changed();
    await rig.clock.advance(2000);
    expect([root, second, third].map((row) => rig.state(row))).toEqual(['failed', 'failed', 'failed']);
    await rig.clock.advance(60_000);
    expect(rig.texts()).toEqual(['one']);
    expect([second, third].map((row) => rig.state(row))).toEqual(['failed', 'failed']);
    expect(rig.acks()).toMatchObject([
      { status: 'failed', error: expect.stringMatching(/^part 1 of 3: EDGE_SEND_REFUSED/) },
    ]);
  });

  it('keeps the rest unsent when it had been unknown', async () => {
    const rig = senderRig();
    rig.onMissingReceipt = 'report';
    rig.crash();
    rig.mac.onRun = () => EXIT_0;
    const [root, second, third] = threeParts(rig, rig.clock.now() + 3 * SETTLE_MS);
    await rig.wake();
    await rig.clock.advance(SETTLE_MS);
    expect([root, second].map((row) => rig.state(row))).toEqual(['unknown', 'queued']);
    rig.mac.write({ target: ANNA, text: 'one' }, { isSent: false, error: 22 });
    await rig.changed();
    await rig.clock.advance(2000);
    await rig.clock.advance(3 * SETTLE_MS);
    expect(rig.texts()).toEqual(['one']);
    expect([root, second, third].map((row) => rig.state(row))).toEqual(['failed', 'failed', 'failed']);
  });
});
