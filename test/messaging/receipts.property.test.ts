import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import type { SendRow } from '../../src/state/SendRow.ts';
import { settle } from '../support/FakeClock.ts';
import { chat, EXIT_0, type ScriptCall, TIMED_OUT } from './FakeMac.ts';
import { ANNA, BEN, SETTLE_MS, SenderRig } from './senderRig.ts';

const GROUP = 'chat831000000000000001';

/** What one osascript does. Rows may come minutes after the settle time, at once, or as ghosts; chats after their rows. */
interface Script {
  readonly does: 'send' | 'nothing' | 'ghost';
  readonly rowAfterMs: number;
  readonly chatAfterMs: number;
  readonly timesOut: boolean;
}

type Step =
  | { readonly do: 'queue'; readonly thread: string; readonly text: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'crash' };

const script: fc.Arbitrary<Script> = fc.record({
  does: fc.constantFrom('send', 'send', 'send', 'nothing', 'ghost'),
  rowAfterMs: fc.constantFrom(0, 0, 5, 4000, SETTLE_MS - 1000, SETTLE_MS + 500, 3 * SETTLE_MS),
  chatAfterMs: fc.constantFrom(0, 0, 20, 3000),
  timesOut: fc.boolean(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('queue'),
      thread: fc.constantFrom(ANNA, BEN, GROUP),
      text: fc.constantFrom('lol', 'ok'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(1, 3000, SETTLE_MS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash') }) },
) as fc.Arbitrary<Step>;

/** The chat of a late row is written just when the rows behind it are being looked at. */
const CHAT_JOINED_WITHIN_A_WALK: [Step[], Script[]] = [
  [
    { do: 'queue', thread: GROUP, text: 'lol' },
    { do: 'wait', ms: 3000 },
    { do: 'queue', thread: ANNA, text: 'lol' },
  ],
  [
    { does: 'ghost', rowAfterMs: 0, chatAfterMs: 0, timesOut: false },
    { does: 'send', rowAfterMs: 3 * SETTLE_MS, chatAfterMs: 3000, timesOut: false },
    { does: 'send', rowAfterMs: 3 * SETTLE_MS, chatAfterMs: 0, timesOut: false },
    { does: 'ghost', rowAfterMs: 0, chatAfterMs: 0, timesOut: false },
  ],
];

class World {
  readonly rig = new SenderRig();
  readonly #scripts: Script[];
  #later: { at: number; work: () => void }[] = [];

  constructor(scripts: readonly Script[]) {
    this.#scripts = [...scripts];
    this.rig.mac.chats.set(GROUP, chat(GROUP, { guid: `iMessage;+;${GROUP}`, isGroup: true }));
    this.rig.mac.onRun = (call) => this.#run(call);
    this.rig.sender.start();
  }

  #run(call: ScriptCall) {
    const { mac } = this.rig;
    const { does, rowAfterMs, chatAfterMs, timesOut } = this.#scripts.shift() ?? {
      does: 'send',
      rowAfterMs: 0,
      chatAfterMs: 0,
      timesOut: false,
    };
    const dateAt = this.rig.clock.now();
    const ghost = { text: '', chat: undefined, handle: undefined, service: 'SMS', bodyBytes: 0, dateAt };
    if (does === 'ghost' && call.form === 'chat') mac.write(call, ghost);
    else if (does === 'send') {
      this.#in(rowAfterMs, () => {
        const row = mac.write(call, { dateAt });
        if (chatAfterMs === 0) return;
        mac.amend(row.rowid, { chat: undefined });
        this.#in(chatAfterMs, () => mac.amend(row.rowid, { chat: row.chat }));
      });
    }
    return timesOut ? TIMED_OUT : EXIT_0;
  }

  #in(ms: number, work: () => void): void {
    if (ms === 0) work();
    else this.#later.push({ at: this.rig.clock.now() + ms, work });
  }

  async pass(ms: number): Promise<void> {
    const end = this.rig.clock.now() + ms;
    for (;;) {
      await settle();
      const now = this.rig.clock.now();
      const next = Math.min(end, now + 5000, ...this.#later.map(({ at }) => at));
      await this.rig.clock.advance(Math.max(0, next - now));
      const due = this.#later.filter(({ at }) => at <= this.rig.clock.now());
      this.#later = this.#later.filter((one) => !due.includes(one));
      for (const { work } of due) work();
      if (due.length > 0) this.rig.sender.chatDbChanged();
      if (this.rig.clock.now() >= end) return;
    }
  }

  /** Till nothing is open and every row has been there for long. */
  async drain(): Promise<void> {
    for (let i = 0; i < 200 && this.rig.store.sends.openThreads().length > 0; i++) await this.pass(SETTLE_MS / 2);
    await this.pass(5 * SETTLE_MS);
  }
}

const identifier = (row: ChatRow) => row.chat?.identifier;

it('gives each row to one send of its thread and its words, however late it comes, and tells each send once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 14 }),
      fc.array(script, { maxLength: 14 }),
      async (steps, scripts) => {
        const world = new World(scripts);
        const { rig } = world;
        const sends: SendRow[] = [];
        for (const step of steps) {
          if (step.do === 'queue') {
            sends.push(rig.queue(step.thread, step.text));
            rig.sender.wake();
          } else if (step.do === 'crash') rig.crash();
          await world.pass(step.do === 'wait' ? step.ms : 0);
        }
        await world.drain();

        const ends = sends.map((send) => rig.row(send));
        const receipts = new Map(ends.map((send) => [send.receiptGuid, send]));
        const bubbles = rig.mac.rows.filter(({ text }) => text !== '');
        for (const { receiptGuid, threadId, text } of ends) {
          if (receiptGuid === null) continue;
          const row = bubbles.find(({ guid }) => guid === receiptGuid);
          expect([row && identifier(row), row?.text]).toEqual([threadId, text]);
        }
        expect(receipts.size - (receipts.has(null) ? 1 : 0)).toBe(ends.filter((send) => send.receiptGuid).length);
        for (const send of ends) {
          const same = (row: ChatRow) => identifier(row) === send.threadId && row.text === send.text;
          const free = bubbles.filter(
            (row) => same(row) && !receipts.has(row.guid) && !rig.store.spentRows.has(row.guid),
          );
          // While a bubble of those words shows in chat.db and proves nothing, no send of them is called unknown.
          if (send.state === 'unknown') expect(free).toEqual([]);
          expect(rig.mac.calls.filter(({ text }) => text === send.text).length).toBeGreaterThan(0);
          expect(['confirmed', 'unknown', 'failed']).toContain(send.state);
        }
        const ids = rig.events();
        expect(new Set(ids).size).toBe(ids.length);
        const told = ids.filter((id) => id.startsWith('sent:')).length;
        expect(told).toBe(ends.filter((send) => send.state === 'confirmed').length);
      },
    ),
    { numRuns: 120, examples: [CHAT_JOINED_WITHIN_A_WALK] },
  );
}, 60_000);
