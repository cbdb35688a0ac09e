import { describe, expect, it } from 'vitest';
import { chat, EXIT_0, scriptError } from './FakeMac.ts';
import { ANNA, BEN, type SenderRig, senderRig, UNLIMITED } from './senderRig.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const person = (n: number) => `+155501000${10 + n}`;

function twelve(rig: SenderRig, threadId = ANNA): void {
  for (let n = 1; n <= 12; n++) rig.queue(threadId, `b${n}`);
}

const conditions = (rig: SenderRig) => [...rig.told('conditionRaised'), ...rig.told('conditionCleared')];

describe('sending.rate', () => {
  const fivePerMinute = { rate: { ...UNLIMITED, perMinute: 5 } };

  it('lets five bubbles a minute go, the others wait in order and none is dropped', async () => {
    const rig = senderRig(fivePerMinute);
    twelve(rig);
    await rig.wake();
    expect(rig.texts()).toHaveLength(5);
    await rig.clock.advance(MINUTE - 1);
    expect(rig.texts()).toHaveLength(5);
    await rig.clock.advance(1);
    expect(rig.texts()).toHaveLength(10);
    await rig.clock.advance(MINUTE);
    expect(rig.texts()).toEqual(Array.from({ length: 12 }, (_, n) => `b${n + 1}`));
  });

  it('counts over all threads, and lets an immediate bubble wait as well, but first in line', async () => {
    const rig = senderRig(fivePerMinute);
    for (let n = 0; n < 7; n++) rig.queue(person(n), `b${n}`);
    await rig.wake();
    rig.queue(BEN, 'urgent', { immediate: true });
    await rig.wake();
    expect(rig.texts()).toEqual(['b0', 'b1', 'b2', 'b3', 'b4']);
    await rig.clock.advance(MINUTE);
    expect(rig.texts().slice(5)).toEqual(['urgent', 'b5', 'b6']);
  });

  it('is known after a restart', async () => {
    const rig = senderRig(fivePerMinute);
    twelve(rig);
    await rig.wake();
    await rig.clock.advance(20_000);
    for (let n = 0; n < 3; n++) {
      rig.crash();
      await rig.clock.advance(10_000);
    }
    expect(rig.texts()).toHaveLength(5);
    await rig.clock.advance(10_000);
    expect(rig.texts()).toHaveLength(10);
  });

  it.each([
    ['a minute', { ...UNLIMITED, perMinute: 5 }, MINUTE],
    ['an hour', { ...UNLIMITED, perHour: 5 }, HOUR],
  ])('neither bursts nor stalls for longer than %s when the clock is set, running or not', async (_, rate, window) => {
    for (const step of [-2 * DAY, 2 * DAY]) {
      const rig = senderRig({ rate });
      twelve(rig);
      await rig.wake();
      rig.clock.jumpWall(step);
      await rig.wake();
      await rig.clock.advance(window - 1);
      expect(rig.texts()).toHaveLength(5);
      await rig.clock.advance(1);
      expect(rig.texts()).toHaveLength(10);
    }
    const rig = senderRig({ rate });
    twelve(rig);
    await rig.wake();
    rig.clock.jumpWall(-2 * DAY);
    rig.crash();
    await rig.clock.advance(window - 1);
    expect(rig.texts()).toHaveLength(5);
    await rig.clock.advance(1);
    expect(rig.texts()).toHaveLength(10);
  });

  it('counts a bubble once, however many forms of address it takes', async () => {
    const rig = senderRig({ rate: { ...UNLIMITED, perMinute: 2 } });
    rig.mac.chats.set(ANNA, chat(ANNA));
    const write = rig.mac.onRun;
    rig.mac.onRun = (call) => (call.form === 'participant' ? scriptError(-1728) : write(call));
    const sends = [rig.queue(ANNA, 'one'), rig.queue(ANNA, 'two')];
    await rig.wake();
    expect(sends.map((send) => rig.state(send))).toEqual(['confirmed', 'confirmed']);
    expect(rig.mac.calls).toHaveLength(4);
  });

  it('tells once, after ten seconds, which limit it is, and clears when nothing has waited for ten', async () => {
    const rig = senderRig(fivePerMinute);
    twelve(rig);
    await rig.wake();
    await rig.clock.advance(9_999);
    expect(conditions(rig)).toEqual([]);
    expect(rig.sender.heldBack()).toEqual({ bubbles: 7, nextAt: rig.clock.now() + 50_001 });
    await rig.clock.advance(1);
    const raised = ['EDGE_SEND_RATE', 'sending.rate.per_minute is 5; 7 bubbles wait'];
    expect(conditions(rig)).toEqual([raised]);
    await rig.clock.advance(2 * MINUTE - 10_000);
    expect(rig.texts()).toHaveLength(12);
    expect(rig.sender.heldBack()).toEqual({ bubbles: 0, nextAt: undefined });
    await rig.clock.advance(9_999);
    expect(conditions(rig)).toEqual([raised]);
    await rig.clock.advance(1);
    expect(conditions(rig)).toEqual([raised, ['EDGE_SEND_RATE']]);
  });

  it('says nothing of waits that are shorter', async () => {
    const rig = senderRig(fivePerMinute);
    for (let n = 1; n <= 5; n++) rig.queue(ANNA, `b${n}`);
    await rig.wake();
    await rig.clock.advance(MINUTE - 9000);
    rig.queue(ANNA, 'b6');
    await rig.wake();
    await rig.clock.advance(HOUR);
    expect(rig.texts()).toHaveLength(6);
    expect(conditions(rig)).toEqual([]);
  });

  it('arms no timer and asks nothing of state.db when nothing waits', async () => {
    const rig = senderRig({ rate: { perMinute: 5, perHour: 50, newThreadsPerDay: 5 }, bubblePause: 'natural' });
    rig.queue(ANNA, 'one');
    await rig.wake();
    await rig.clock.advance(2 * HOUR);
    expect(rig.state(rig.store.sends.byId(1)!)).toBe('confirmed');
    const asked: string[] = [];
    for (const query of ['heads', 'headOf', 'begunSince', 'openedSince', 'waiting'] as const) {
      rig.store.sendPace[query] = () => {
        asked.push(query);
        throw new Error(`${query} was asked`);
      };
    }
    await rig.clock.advance(10 * MINUTE);
    expect(asked).toEqual([]);
  });
});

describe('sending.rate.new_threads_per_day', () => {
  const twoPerDay = { rate: { ...UNLIMITED, newThreadsPerDay: 2 } };

  /** People whom chat.db knows once they got a bubble, as Messages does it. */
  function rigWithChats(): SenderRig {
    const rig = senderRig(twoPerDay);
    const write = rig.mac.onRun;
    rig.mac.onRun = (call) => {
      rig.mac.chats.set(call.target, chat(call.target));
      return write(call);
    };
    return rig;
  }

  it('holds back the first bubble to whoever has no conversation yet, and nobody else', async () => {
    const rig = rigWithChats();
    rig.mac.chats.set(ANNA, chat(ANNA));
    for (let n = 0; n < 4; n++) for (const part of ['a', 'b']) rig.queue(person(n), `${part}${n}`);
    rig.queue(ANNA, 'known');
    await rig.wake();
    expect(rig.texts().toSorted()).toEqual(['a0', 'a1', 'b0', 'b1', 'known']);
    expect(rig.store.sends.byId(1)?.opensThread).toBe(1);
    expect(rig.store.sends.byId(2)?.opensThread).toBe(0);
    expect(rig.sender.heldBack()).toEqual({ bubbles: 4, nextAt: rig.clock.now() + DAY });
    await rig.clock.advance(10_000);
    expect(conditions(rig)).toEqual([['EDGE_SEND_RATE', 'sending.rate.new_threads_per_day is 2; 4 bubbles wait']]);
    rig.queue(ANNA, 'more');
    await rig.wake();
    expect(rig.texts().at(-1)).toBe('more');
    rig.crash();
    await rig.clock.advance(DAY - 20_000);
    expect(rig.texts()).not.toContain('a2');
    await rig.clock.advance(10_000);
    expect(rig.texts().slice(-4).toSorted()).toEqual(['a2', 'a3', 'b2', 'b3']);
    await rig.clock.advance(10_000);
    expect(rig.told('conditionCleared')).toEqual([['EDGE_SEND_RATE']]);
  });

  it('counts a thread after a restart, too, when its first bubble took a second attempt', async () => {
    const rig = rigWithChats();
    const write = rig.mac.onRun;
    rig.mac.onRun = (call) => {
      rig.mac.chats.set(call.target, chat(call.target));
      return EXIT_0;
    };
    for (let n = 0; n < 2; n++) rig.queue(person(n), `a${n}`);
    await rig.wake();
    rig.mac.onRun = write;
    await rig.clock.advance(MINUTE);
    expect(rig.texts()).toEqual(['a0', 'a1', 'a0', 'a1']);
    rig.crash();
    rig.queue(person(2), 'a2');
    await rig.wake();
    expect(rig.texts()).toHaveLength(4);
  });

  it('lets a bubble go soon after the person has written first', async () => {
    const rig = rigWithChats();
    for (let n = 0; n < 3; n++) rig.queue(person(n), `a${n}`);
    await rig.wake();
    await rig.clock.advance(HOUR);
    rig.queue(person(2), 'later', { notBeforeAt: rig.clock.now() + 300_000 });
    expect(rig.texts()).toEqual(['a0', 'a1']);
    rig.mac.chats.set(person(2), chat(person(2)));
    await rig.clock.advance(5000);
    expect(rig.texts()).toEqual(['a0', 'a1', 'a2']);
    await rig.clock.advance(10_000);
    expect(rig.told('conditionCleared')).toEqual([['EDGE_SEND_RATE']]);
  });

  it('is told of also while the others keep Messages busy', async () => {
    const rig = rigWithChats();
    const write = rig.mac.onRun;
    rig.mac.onRun = (call) => new Promise((resolve) => void rig.clock.after(1000, () => resolve(write(call))));
    for (const known of [ANNA, BEN]) {
      rig.mac.chats.set(known, chat(known));
      for (let n = 0; n < 10; n++) rig.queue(known, `k${n}`);
    }
    for (let n = 0; n < 3; n++) rig.queue(person(n), `a${n}`);
    await rig.wake();
    await rig.clock.advance(16_000);
    expect(rig.texts()).toHaveLength(17);
    expect(conditions(rig)).toEqual([['EDGE_SEND_RATE', 'sending.rate.new_threads_per_day is 2; 1 bubble waits']]);
  });
});

describe('sending.allow_new_threads: false', () => {
  it('refuses to write first, before osascript starts, and says so to who asked', async () => {
    const rig = senderRig({ allowNewThreads: false });
    rig.mac.chats.set(ANNA, chat(ANNA));
    const known = rig.queue(ANNA, 'hello');
    const stranger = rig.command('c1', BEN, 'hello');
    await rig.wake();
    expect(rig.state(known)).toBe('confirmed');
    expect(rig.row(stranger)).toMatchObject({ state: 'failed', errorCode: 'EDGE_SEND_NEW_THREAD', sendingAt: null });
    expect(rig.mac.calls).toHaveLength(1);
    const error = expect.stringMatching(/^EDGE_SEND_NEW_THREAD: .*allow_new_threads/);
    expect(rig.acks()).toMatchObject([{ command_id: 'c1', status: 'failed', success: false, error }]);
  });
});
