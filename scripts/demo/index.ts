/** `npm run demo [-- --interactive] [--keep]`: the whole system on this machine, talking over real sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Demo, PEOPLE } from './Demo.ts';
import { SCENES } from './scenes.ts';

const { values } = parseArgs({ options: { interactive: { type: 'boolean' }, keep: { type: 'boolean' } } });
const dir = mkdtempSync(join(tmpdir(), 'edge-relay-demo-'));

console.log('edge-relay: a hub, a simulated Mac (macOS 26), and the real agent as a process of its own.');
const demo = await Demo.create(dir);
let ok = false;
try {
  await demo.rig.startAgent();
  if (values.interactive) ok = await talk(demo);
  else {
    for (const { title, play } of SCENES) {
      demo.narrator.title(title);
      await play(demo);
    }
    await demo.rig.mac.settled();
    ok = demo.ledger.report(demo.rig.mac.messages.effects);
  }
} catch (error) {
  console.error(`\nThe demo could not go on: ${(error as Error).message}`);
} finally {
  await demo.rig.close();
  if (values.keep)
    console.log(`\nKept: ${dir} (config.yaml, edge-agent.log, state/state.db, hub.db, mac/Library/Messages/chat.db)`);
  else rmSync(dir, { recursive: true, force: true });
}
process.exitCode = ok ? 0 : 1;

/** A person types as the phone and sees the answers, until the input ends. */
async function talk(stage: Demo): Promise<boolean> {
  console.log('You are Ann on her phone. Type a message; Ctrl-D ends. Try: what is the plan for tonight?\n');
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    if (line.trim() === '') continue;
    stage.narrator.person('Ann', line);
    stage.rig.mac.people.receive({ from: PEOPLE.Ann, text: line });
  }
  return true;
}
