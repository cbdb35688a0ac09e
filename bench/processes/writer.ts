/**
 * A simulated Mac in a process of its own, so that its work is not mistaken for the agent's: writes messages when told
 * to on stdin (a JSON object a line) and says when each commit was done, on the clock all processes share.
 */
import { createInterface } from 'node:readline';
import { SimulatedMac } from '../../src/simulator/SimulatedMac.ts';
import { monotonicMs } from '../monotonicMs.ts';

interface Order {
  do: 'commit' | 'burst' | 'behave' | 'close';
  count: number;
  /** Smallest and largest pause between two commits, ms. */
  pause: [number, number];
  threads: number;
  /** How long osascript takes, ms. */
  scriptMs: number;
}

const [dir, synchronous, history] = process.argv.slice(2) as [string, 'NORMAL' | 'FULL', string];
const mac = await SimulatedMac.create({ dir, synchronous });
mac.messages.onEffect = (effect) => say({ effect: effect.text, startedAtUs: effect.startedAtUs });
if (Number(history) > 0) mac.fillHistory({ messages: Number(history), until: Date.now() - 86_400_000 });
say({ ready: true, chatDbPath: mac.chatDbPath, osascriptPath: mac.osascriptPath });

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order;
  if (order.do === 'commit') {
    for (let n = 0; n < order.count; n++) {
      const [least, most] = order.pause;
      await new Promise((resolve) => setTimeout(resolve, least + Math.random() * (most - least)));
      const [guid] = mac.people.receiveMany([
        { from: '+15550100002', text: `message ${n}: ${'lorem ipsum '.repeat(8)}` },
      ]);
      say({ guid, at: monotonicMs() });
    }
    say({ done: true });
  } else if (order.do === 'burst') {
    const messages = Array.from({ length: order.count }, (_, n) => ({
      from: `person${n % order.threads}@example.com`,
      text: `burst ${n}`,
    }));
    const guids = mac.people.receiveMany(messages);
    say({ burst: guids, at: monotonicMs() });
  } else if (order.do === 'behave') {
    mac.messages.behave({ times: 'always', afterEffectMs: order.scriptMs });
    say({ done: true });
  } else {
    await mac.close();
    process.exit(0);
  }
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
