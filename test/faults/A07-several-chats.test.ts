import { expect } from 'vitest';
import type { Effect } from '../../src/simulator/Messages.ts';
import { CANARY, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const CHATS = ['+15550100002', '+15550100003', '+15550100004', '+15550100005'];
const COMMANDS = 20;
/** How long after a bubble its row appears: long enough for the other chats to go on meanwhile, ms. */
const ROW_MS = 1000;

/** The bubbles that go out, with the chat of each, from now on; and how many osascripts were ever under way at once. */
function watched(run: FaultRun) {
  const { messages } = run.rig.mac;
  const seen = { bubbles: [] as Effect[], most: 0 };
  let running = 0;
  messages.behave({
    times: 'always',
    rowMs: ROW_MS,
    beforeEffect() {
      running++;
      seen.most = Math.max(seen.most, running);
    },
    afterEffect: () => void running--,
  });
  messages.onEffect = (effect) => void seen.bubbles.push(effect);
  return seen;
}

faultTest('A7 sends to four chats in turn while each waits for its own receipts, one bubble at a time in each', {
  commandsInOrder: true,
  async fault(run) {
    const seen = watched(run);
    // Each text twice in a row in each chat: the row of the one is no receipt of the other.
    const textOf = (n: number) => `${CANARY} ${Math.floor(n / (2 * CHATS.length))}`;
    for (let n = 0; n < COMMANDS; n++) await run.ask(CHATS[n % CHATS.length], { text: textOf(n) });
    await run.quiet(30_000);
    // Messages handles one Apple event at a time; what goes on side by side are the waits for receipts.
    expect(seen.most).toBe(1);
    const chats = seen.bubbles.map(({ target }) => target);
    expect(chats).toHaveLength(COMMANDS);
    expect(new Set(chats.slice(0, CHATS.length))).toEqual(new Set(CHATS));
    for (const chat of CHATS) {
      const times = seen.bubbles.filter(({ target }) => target === chat).map(({ at }) => at);
      const waits = times.slice(1).map((at, index) => at - times[index]!);
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(ROW_MS);
    }
    run.runs = COMMANDS;
  },
});

faultTest('A7 holds up no chat for another whose bubble is not heard of', {
  commandsInOrder: true,
  async fault(run) {
    const [stuck, ...others] = CHATS;
    const { messages } = run.rig.mac;
    messages.behave({ only: { target: stuck! }, rowMs: 4000 });
    const known = messages.effects.length;
    await run.ask(stuck);
    await run.ask(stuck);
    for (const chat of [...others, ...others]) await run.ask(chat);
    await run.quiet(30_000);
    const order = messages.effects.slice(known).map(({ target }) => target);
    // Each of the others had its turn before the second bubble of the chat that waits.
    expect(new Set(order.slice(0, order.lastIndexOf(stuck!)))).toEqual(new Set(CHATS));
  },
});
