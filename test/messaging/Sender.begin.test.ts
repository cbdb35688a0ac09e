import { describe, expect, it } from 'vitest';
import { settle } from '../support/FakeClock.ts';
import { EXIT_0 } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, type SenderRig, senderRig } from './senderRig.ts';

/** Queues a bubble as a command does: it may be begun in the transaction that takes it. */
function take(rig: SenderRig, threadId: string, text: string) {
  return rig.store.transaction(() => {
    const send = rig.queue(threadId, text);
    rig.sender.begin(threadId);
    return send;
  });
}

describe('a bubble begun in the transaction that queues it', () => {
  it('is on disk as sending, with its watermark, before osascript starts', async () => {
    const rig = senderRig();
    rig.mac.write({ target: BEN, text: 'older' });
    const send = take(rig, ANNA, 'hello');
    expect(rig.row(send)).toMatchObject({ state: 'sending', attempts: 1, watermarkRowid: rig.mac.maxRowid() });
    expect(rig.texts()).toEqual([]);
    rig.sender.wake(ANNA);
    await settle();
    expect(rig.texts()).toEqual(['hello']);
    expect(rig.state(send)).toBe('confirmed');
  });

  it('is unknown to all when the transaction is rolled back, and the next one goes out', async () => {
    const rig = senderRig();
    expect(() =>
      rig.store.transaction(() => {
        rig.queue(ANNA, 'undone');
        rig.sender.begin(ANNA);
        throw new Error('a defect');
      }),
    ).toThrow('a defect');
    await rig.wake();
    expect(rig.texts()).toEqual([]);
    const next = take(rig, ANNA, 'hello'); // has the number of the one that never was
    rig.sender.wake(ANNA);
    await settle();
    expect(rig.texts()).toEqual(['hello']);
    expect(rig.state(next)).toBe('confirmed');
  });

  it('is not taken for the one of the same number that was rolled back and nobody has looked for', async () => {
    const rig = senderRig();
    expect(() =>
      rig.store.transaction(() => {
        rig.queue(ANNA, 'undone');
        rig.sender.begin(ANNA);
        throw new Error('a defect');
      }),
    ).toThrow('a defect');
    take(rig, BEN, 'hello');
    rig.sender.wake(BEN);
    await settle();
    expect(rig.mac.calls).toMatchObject([{ target: BEN, text: 'hello' }]);
  });

  it('leaves its place to what is before it in the thread', async () => {
    const rig = senderRig();
    rig.queue(ANNA, 'first');
    const second = take(rig, ANNA, 'second');
    expect(rig.state(second)).toBe('queued');
    rig.sender.wake(ANNA);
    await settle();
    expect(rig.texts()).toEqual(['first', 'second']);
  });

  it('is looked for in chat.db first where state.db has forgotten the time in which it was asked for', async () => {
    const rig = senderRig();
    const now = rig.clock.now();
    rig.mac.write({ target: ANNA, text: 'said already' });
    rig.store.meta.set('forgotten', JSON.stringify({ from: now - 60_000, until: now }));
    rig.crash(); // at the start it is known
    const send = rig.store.transaction(() => {
      const asked = rig.command('again', ANNA, 'said already');
      rig.sender.begin(ANNA);
      return asked;
    });
    expect(rig.state(send)).toBe('queued');
    rig.sender.wake(ANNA);
    await rig.clock.advance(SETTLE_MS + 2000);
    expect(rig.state(send)).toBe('confirmed');
    expect(rig.texts()).toEqual([]);
  });

  it('waits while an osascript runs', async () => {
    const rig = senderRig();
    let end = () => {};
    rig.mac.onRun = (call) => {
      rig.mac.write(call);
      return new Promise((resolve) => {
        end = () => resolve(EXIT_0);
      });
    };
    take(rig, ANNA, 'one');
    rig.sender.wake(ANNA);
    const two = take(rig, BEN, 'two');
    rig.sender.wake(BEN);
    await settle();
    expect(rig.state(two)).toBe('queued');
    end();
    await settle();
    expect(rig.texts()).toEqual(['one', 'two']);
  });

  it('is looked for first when the agent ends before osascript starts', async () => {
    const rig = senderRig();
    const send = take(rig, ANNA, 'hello');
    rig.crash();
    await settle();
    expect(rig.texts()).toEqual([]);
    await rig.clock.advance(SETTLE_MS + 1000);
    expect(rig.texts()).toEqual(['hello']);
    expect(rig.row(send)).toMatchObject({ state: 'confirmed', attempts: 2 });
  });

  it('is refused by name where it cannot be sent', async () => {
    const rig = senderRig();
    const send = take(rig, 'nobody', 'hello');
    expect(rig.state(send)).toBe('queued');
    rig.sender.wake('nobody');
    await settle();
    expect(rig.row(send)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_NO_SUCH_CHAT' });
  });

  it('begins nothing while a limit holds bubbles back', async () => {
    const rig = senderRig({ rate: { perMinute: 1, perHour: 0, newThreadsPerDay: 0 } });
    take(rig, ANNA, 'one');
    rig.sender.wake(ANNA);
    await settle();
    const two = take(rig, ANNA, 'two');
    rig.sender.wake(ANNA);
    await settle();
    expect(rig.state(two)).toBe('queued');
    await rig.clock.advance(61_000);
    expect(rig.texts()).toEqual(['one', 'two']);
  });
});
