import fc from 'fast-check';
import { expect, it } from 'vitest';
import { queueAnswer } from '../../src/relay/queueAnswer.ts';
import { settle } from '../support/FakeClock.ts';
import { ANNA, BEN, SenderRig } from './senderRig.ts';

const THREADS = [ANNA, BEN];

type Step =
  | { do: 'message'; thread: number }
  /** The answer to one of the messages that have none yet. */
  | { do: 'answer'; which: number; bubbles: number; burst: boolean }
  | { do: 'command'; thread: number; immediate: boolean }
  | { do: 'wait'; ms: number }
  | { do: 'crash' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('message' as const), thread: fc.nat(1) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('answer' as const),
        which: fc.nat(5),
        bubbles: fc.integer({ min: 1, max: 4 }),
        burst: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('command' as const), thread: fc.nat(1), immediate: fc.boolean() }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 500, 3000, 30_000) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  ),
  { minLength: 5, maxLength: 30 },
);

/** Who asks and answers, and what must stand before what in the end. Every bubble reads as its key. */
class Scene {
  readonly rig = new SenderRig({
    bubblePause: 'natural',
    rate: { perMinute: 9, perHour: 60, newThreadsPerDay: 0 },
  });
  readonly unanswered: { inboundId: number; guid: string; threadId: string }[] = [];
  /** Groups of bubbles by what they answer: a group's texts, and 0 for what answers nothing. */
  readonly groups: { threadId: string; answers: number; texts: string[] }[] = [];
  readonly before: [text: string, later: string][] = [];
  #count = 0;

  message(threadId: string): void {
    const { store, clock } = this.rig;
    const guid = `G${++this.#count}`;
    const place = { guid, epoch: 1, chatRowid: this.#count, threadId, backfill: false };
    store.inbound.insert({ ...place, body: {} as never, now: clock.now() });
    this.unanswered.push({ inboundId: store.inbound.byGuid(guid)!.inboundId, guid, threadId });
  }

  answer(which: number, bubbles: number, burst: boolean): void {
    const [inbound] = this.unanswered.splice(which % Math.max(1, this.unanswered.length), 1);
    if (!inbound) return;
    const texts = Array.from({ length: bubbles }, (_, n) => `${inbound.guid}-${n}`);
    for (const other of this.groups.filter((group) => group.threadId === inbound.threadId)) {
      if (this.#begun(other) || other.answers === 0) continue;
      const [first, second] = other.answers < inbound.inboundId ? [other.texts, texts] : [texts, other.texts];
      this.before.push([first[0]!, second[0]!]);
    }
    const { store, clock, sender } = this.rig;
    const response = burst
      ? { should_respond: true, reflex_message: texts[0], burst_messages: texts.slice(1), burst_delay_ms: 2000 }
      : { should_respond: true, reply_bubbles: texts };
    store.transaction(() => {
      queueAnswer(store, inbound as never, response as never, clock.now());
    });
    this.groups.push({ threadId: inbound.threadId, answers: inbound.inboundId, texts });
    sender.wake();
  }

  command(threadId: string, immediate: boolean): void {
    const text = `C${++this.#count}`;
    for (const other of this.groups.filter((group) => group.threadId === threadId)) {
      this.before.push([other.texts[0]!, text]);
    }
    this.rig.queue(threadId, text, { immediate });
    this.groups.push({ threadId, answers: 0, texts: [text] });
    this.rig.sender.wake();
  }

  #begun({ texts }: { texts: string[] }): boolean {
    return this.rig.texts().some((text) => texts.includes(text));
  }
}

it('sends an answer in one piece and each thread in order, whatever comes later and whenever it restarts', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const scene = new Scene();
      const { rig } = scene;
      rig.sender.start();
      for (const step of steps) {
        if (step.do === 'message') scene.message(THREADS[step.thread]!);
        else if (step.do === 'answer') scene.answer(step.which, step.bubbles, step.burst);
        else if (step.do === 'command') scene.command(THREADS[step.thread]!, step.immediate);
        else if (step.do === 'crash') rig.crash();
        else await rig.clock.advance(step.ms);
        await settle();
      }
      await rig.clock.advance(4 * 3_600_000);

      for (const threadId of THREADS) {
        const seen = rig.mac.calls.filter(({ target }) => target === threadId).map(({ text }) => text);
        const groups = scene.groups.filter((group) => group.threadId === threadId);
        const inOrder = groups.toSorted((a, b) => seen.indexOf(a.texts[0]!) - seen.indexOf(b.texts[0]!));
        expect(seen).toEqual(inOrder.flatMap(({ texts }) => texts));
      }
      const all = rig.texts();
      for (const [text, later] of scene.before) expect(all.indexOf(text)).toBeLessThan(all.indexOf(later));
    }),
    { numRuns: 100 },
  );
}, 120_000);
