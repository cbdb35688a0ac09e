import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Manners, Phone, type Script, THREADS } from './Phone.ts';
import { SETTLE_MS } from './senderRig.ts';

/** As many as fit the patience of a test run; 10,000 take some minutes. MODEL_SEED repeats what failed. */
const RUNS = Number(process.env.MODEL_RUNS ?? 120);
const SEED = process.env.MODEL_SEED === undefined ? {} : { seed: Number(process.env.MODEL_SEED) };

/** What should be: the bubbles of each thread, in the order in which they were asked for, by send_id. */
type Model = Map<string, number[]>;
type Command = fc.AsyncCommand<Model, Phone>;

class Queue implements Command {
  readonly thread: string;
  readonly text: string;
  readonly immediate: boolean;
  constructor(thread: string, text: string, immediate: boolean) {
    this.thread = thread;
    this.text = text;
    this.immediate = immediate;
  }
  check = () => true;
  async run(model: Model, phone: Phone): Promise<void> {
    const rows = phone.queue(this.thread, this.text, this.immediate);
    model.set(this.thread, [...(model.get(this.thread) ?? []), ...rows.map(({ sendId }) => sendId)]);
    await phone.pass(0);
    agree(model, phone);
  }
  toString = () => `queue(${this.thread.slice(-1)}, ${this.text}${this.immediate ? ', immediate' : ''})`;
}

class Next implements Command {
  readonly script: Script;
  constructor(script: Script) {
    this.script = script;
  }
  check = () => true;
  async run(_model: Model, phone: Phone): Promise<void> {
    phone.scripts.push(this.script);
  }
  toString = () => `next(${JSON.stringify(this.script)})`;
}

class Act implements Command {
  readonly name: string;
  readonly act: (phone: Phone) => Promise<void> | void;
  constructor(name: string, act: (phone: Phone) => Promise<void> | void) {
    this.name = name;
    this.act = act;
  }
  check = () => true;
  async run(model: Model, phone: Phone): Promise<void> {
    await this.act(phone);
    await phone.pass(0);
    agree(model, phone);
  }
  toString = () => this.name;
}

/**
 * At any time: nothing was seen twice or before what was asked for earlier, and nothing is told that is not so. A row that
 * comes after a later bubble of the same words was begun may be taken for that one's: nobody can tell them apart.
 */
function agree(model: Model, phone: Phone): void {
  expect(new Set(phone.seen).size).toBe(phone.seen.length);
  for (const asked of model.values()) {
    const seen = phone.seen.filter((id) => asked.includes(id));
    expect(seen).toEqual(asked.filter((id) => seen.includes(id)));
    const rows = asked.map((id) => phone.rig.store.sends.byId(id)!);
    for (const { sendId, state, text } of rows) {
      const said = (ids: readonly number[]) =>
        rows.filter((row) => ids.includes(row.sendId) && row.text === text).length;
      const told = rows.filter((row) => row.state === 'confirmed').map((row) => row.sendId);
      if (phone.rowsMayBeLate) expect(said(told)).toBeLessThanOrEqual(said(seen));
      else if (state === 'confirmed') expect(seen).toContain(sendId);
      else if (state === 'failed') expect(seen).not.toContain(sendId);
    }
  }
}

/** In the end: what was seen is what is confirmed, everything else is reported, and each command has its one outcome. */
function endsTruly(model: Model, phone: Phone): void {
  agree(model, phone);
  const { store } = phone.rig;
  const ends = [...model.values()].flat().map((id) => store.sends.byId(id)!);
  expect(ends.filter(({ state }) => !['confirmed', 'failed', 'unknown'].includes(state))).toEqual([]);
  const confirmed = ends.filter(({ state }) => state === 'confirmed').map(({ sendId }) => sendId);
  const words = (ids: readonly number[]) =>
    ids.map((id) => ends.find(({ sendId }) => sendId === id)!).map(({ threadId, text }) => `${threadId} ${text}`);
  expect(words(confirmed).sort()).toEqual(words(phone.seen).sort());
  const receipts = ends.flatMap(({ receiptGuid }) => receiptGuid ?? []);
  expect(new Set(receipts).size).toBe(receipts.length);
  const events = phone.rig.events();
  expect(new Set(events).size).toBe(events.length);
  expect(events.filter((id) => id.startsWith('sent:')).length).toBe(confirmed.length);
  for (const attempts of phone.attempts.values()) expect(attempts).toBeLessThanOrEqual(phone.rowsMayBeLate ? 1 : 2);
  for (const root of ends.filter(({ partOf }) => partOf === null)) {
    const parts = ends.filter(({ sendId, partOf }) => sendId === root.sendId || partOf === root.sendId);
    const failed = parts.findIndex(({ state }) => state === 'failed');
    if (failed >= 0) expect(parts.slice(failed).filter(({ sendId }) => phone.seen.includes(sendId))).toEqual([]);
    const acks = phone.rig.acks().filter(({ command_id }) => command_id === root.commandId);
    const outcome = parts.every(({ state }) => state === 'confirmed') ? 'completed' : 'failed';
    expect(acks.at(-1)?.status).toBe(outcome);
    // A receipt that comes after `unknown` corrects the first ack; nothing else is told twice.
    expect(acks.slice(0, -1).map(({ status, error }) => [status, /unknown outcome/.test(error ?? '')])).toEqual(
      acks.length > 1 ? [['failed', true]] : [],
    );
  }
}

/** Rows show themselves within the settle time where a second attempt follows: exactly once rests on that. */
function commands(manners: Manners) {
  const isPatient = manners.onMissingReceipt === 'report';
  const rowAfterMs = fc.constantFrom(0, 0, 5, 800, SETTLE_MS - 10_000, ...(isPatient ? [3 * SETTLE_MS] : []));
  const says = fc.constantFrom('ok' as const, 'time-out' as const, 'nothing, for we are killed' as const, -609, -4711);
  const script = fc.oneof(
    fc.record({ does: fc.constant('send' as const), afterMs: fc.constantFrom(0, 0, 0, 5000), rowAfterMs, says }),
    fc.record({ does: fc.constant('nothing' as const), says }),
    fc.record({
      does: fc.constant('refuse' as const),
      code: fc.constantFrom(-1728, -1743, -600, -1719, -2753, -10810),
    }),
    fc.record({
      does: fc.constant('fail' as const),
      error: fc.constantFrom(4, 22, 22, 25, 39),
      afterMs: fc.constantFrom(0, 1500, 8000),
    }),
    fc.constant({ does: 'ghost' as const }),
  );
  const text = fc.constantFrom('lol', 'lol', 'ok', 'one two three four five six seven');
  const act = (name: string, work: (phone: Phone) => Promise<void> | void) => fc.constant(new Act(name, work));
  const wait = fc.constantFrom(1, 100, 3000, SETTLE_MS).map((ms) => new Act(`wait(${ms})`, (phone) => phone.pass(ms)));
  const jump = fc
    .constantFrom(-60_000, -1000, 1000, 3_600_000)
    .map((ms) => new Act(`jump(${ms})`, (phone) => phone.rig.clock.jumpWall(ms)));
  const queue = fc.tuple(fc.constantFrom(...THREADS), text, fc.boolean()).map((args) => new Queue(...args));
  const next = script.map((each) => new Next(each));
  return fc.commands(
    [
      queue,
      queue,
      queue,
      next,
      next,
      wait,
      wait,
      jump,
      act('crash', (phone) => phone.crash()),
      act('chat.db unreadable for 20 s', (phone) => phone.hide(20_000)),
      act('wake from sleep', (phone) => phone.rig.sender.woke()),
      fc
        .tuple(fc.constantFrom(...THREADS), fc.constantFrom('lol', 'ok'))
        .map(([thread, said]) => new Act(`type(${thread.slice(-1)}, ${said})`, (phone) => phone.type(thread, said))),
    ],
    { maxCommands: 40, size: 'max' },
  );
}

const manners: fc.Arbitrary<Manners> = fc.record({
  onMissingReceipt: fc.constantFrom('retry', 'report'),
  smsFallback: fc.boolean(),
  bubblePause: fc.constantFrom<Manners['bubblePause']>('none', 'none', 'natural', 3000),
  perMinute: fc.constantFrom(0, 0, 4),
});

it('loses, doubles and reorders no bubble, and tells the truth of each, whatever fails', async () => {
  const scenario = manners.chain((chosen) => fc.tuple(fc.constant(chosen), commands(chosen)));
  await fc.assert(
    fc.asyncProperty(scenario, async ([chosen, steps]) => {
      const phone = new Phone(chosen);
      const model: Model = new Map();
      await fc.asyncModelRun(() => ({ model, real: phone }), steps);
      await phone.drain();
      endsTruly(model, phone);
      phone.rig.store.close();
    }),
    { numRuns: RUNS, ...SEED },
  );
}, 3_600_000);
