import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import { settle } from '../support/FakeClock.ts';
import { EXIT_0, type ScriptCall, scriptError, TIMED_OUT } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, SenderRig } from './senderRig.ts';

/** What one osascript does: whether the person gets the bubble, when chat.db shows it, and what we are told. */
type Script =
  | { does: 'send'; rowAfterMs: number; says: 'ok' | 'time-out' | 'error' | 'nothing, for we are killed' }
  | { does: 'nothing'; says: 'ok' | 'time-out' | 'error' | 'nothing, for we are killed' }
  | { does: 'refuse'; says: -1728 | -1743 | -600 | -1719 }
  | { does: 'fail'; error: 22 };

type Step =
  | { do: 'queue'; thread: string; text: string; immediate: boolean }
  | { do: 'wait'; ms: number }
  | { do: 'crash' };

const says = fc.constantFrom('ok', 'time-out', 'error', 'nothing, for we are killed');
const script: fc.Arbitrary<Script> = fc.oneof(
  // Receipts show themselves within the settle time: the promise of exactly once rests on that.
  fc.record({ does: fc.constant('send'), rowAfterMs: fc.constantFrom(0, 0, 5, 800, SETTLE_MS - 1000), says }),
  fc.record({ does: fc.constant('nothing'), says }),
  fc.record({ does: fc.constant('refuse'), says: fc.constantFrom(-1728, -1743, -600, -1719) }),
  fc.record({ does: fc.constant('fail'), error: fc.constant(22) }),
) as fc.Arbitrary<Script>;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('queue'),
      thread: fc.constantFrom(ANNA, BEN),
      text: fc.constantFrom('lol', 'ok', 'hm'),
      immediate: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(1, 100, 3000, SETTLE_MS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash') }) },
) as fc.Arbitrary<Step>;

/** Messages and a person: what was seen, and rows that chat.db will show later. */
class Phone {
  readonly rig: SenderRig;
  readonly seen: { thread: string; text: string }[] = [];
  readonly #scripts: Script[];
  #late: { at: number; call: ScriptCall; change: Partial<ChatRow> }[] = [];
  #killed = false;

  constructor(scripts: readonly Script[], smsFallback: boolean) {
    this.rig = new SenderRig({ smsFallback });
    this.#scripts = [...scripts];
    this.rig.mac.onRun = (call) => this.#run(call);
    this.rig.sender.start();
  }

  #run(call: ScriptCall) {
    const script = this.#scripts.shift() ?? { does: 'send', rowAfterMs: 0, says: 'ok' };
    if (script.does === 'refuse') return scriptError(script.says);
    if (script.does === 'fail') {
      this.rig.mac.write(call, { error: script.error, service: call.service });
      return EXIT_0;
    }
    if (script.does === 'send') {
      this.seen.push({ thread: call.target, text: call.text });
      const now = this.rig.clock.now();
      if (script.rowAfterMs === 0) this.rig.mac.write(call);
      else this.#late.push({ at: now + script.rowAfterMs, call, change: { dateAt: now } });
    }
    if (script.says === 'ok') return EXIT_0;
    if (script.says === 'time-out') return TIMED_OUT;
    if (script.says === 'error') return scriptError(-4711);
    this.#killed = true;
    return new Promise<never>(() => {});
  }

  /** Lets time pass; rows appear in between, and killed agents start again. */
  async pass(ms: number): Promise<void> {
    const end = this.rig.clock.now() + ms;
    for (;;) {
      await settle();
      if (this.#killed) {
        this.#killed = false;
        this.rig.crash();
        continue;
      }
      const now = this.rig.clock.now();
      const next = Math.min(end, now + 1000, ...this.#late.map((row) => row.at));
      await this.rig.clock.advance(Math.max(0, next - now));
      const due = this.#late.filter((row) => row.at <= this.rig.clock.now());
      this.#late = this.#late.filter((row) => !due.includes(row));
      for (const row of due) this.rig.mac.write(row.call, row.change);
      if (due.length > 0) this.rig.sender.chatDbChanged();
      if (!this.#killed && this.rig.clock.now() >= end) return;
    }
  }

  /** Till nothing is open. */
  async drain(): Promise<void> {
    for (let i = 0; i < 200 && this.rig.store.sends.openThreads().length > 0; i++) await this.pass(SETTLE_MS / 4);
    expect(this.rig.store.sends.openThreads()).toEqual([]);
  }
}

it('shows every bubble at most once and in its thread’s order, whatever fails, and knows which it showed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 14 }),
      fc.array(script, { maxLength: 12 }),
      fc.boolean(),
      async (steps, scripts, smsFallback) => {
        const phone = new Phone(scripts, smsFallback);
        const sends: SendRow[] = [];
        for (const step of steps) {
          if (step.do === 'queue') {
            sends.push(phone.rig.queue(step.thread, step.text, { immediate: step.immediate }));
            phone.rig.sender.wake();
          } else if (step.do === 'crash') phone.rig.crash();
          await phone.pass(step.do === 'wait' ? step.ms : 0);
        }
        await phone.drain();

        const ends = sends.map((send) => phone.rig.row(send));
        for (const thread of [ANNA, BEN]) {
          const confirmed = ends.filter((send) => send.threadId === thread && send.state === 'confirmed');
          const seen = phone.seen.filter((bubble) => bubble.thread === thread);
          expect(seen.map((bubble) => bubble.text)).toEqual(confirmed.map((send) => send.text));
        }
        const receipts = ends.map((send) => send.receiptGuid).filter((guid) => guid !== null);
        expect(new Set(receipts).size).toBe(receipts.length);
        expect(ends.every((send) => ['confirmed', 'failed', 'unknown'].includes(send.state))).toBe(true);
      },
    ),
    { numRuns: 120 },
  );
}, 60_000);
