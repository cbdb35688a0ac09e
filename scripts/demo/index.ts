/** `npm run demo [-- --interactive] [--keep]`: the whole system on this machine, talking over real sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Demo } from './Demo.ts';
import { SCENES } from './scenes.ts';
import { talk } from './talk.ts';

const USAGE = `usage: npm run demo [-- [--interactive] [--keep]]

  --interactive  type as the phone and see the answers; Ctrl-D ends
  --keep         leave the folder with config, log and databases, and say where it is

Exit code: 0 when no bubble was lost, doubled or out of order, else 1.
`;
const EX_USAGE = 64;

class Interrupted extends Error {
  readonly signal: NodeJS.Signals;
  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.signal = signal;
  }
}

/** Rejects at the first signal that ends a program; a second one ends it at once. */
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => reject(new Interrupted(signal)));
  }
});

function readArgs() {
  try {
    const flag = { type: 'boolean', default: false } as const;
    return parseArgs({ options: { interactive: flag, keep: flag, help: { ...flag, short: 'h' } } }).values;
  } catch (error) {
    process.stderr.write(`demo: ${(error as Error).message}\n${USAGE}`);
    return process.exit(EX_USAGE);
  }
}

async function play(demo: Demo): Promise<boolean> {
  for (const { title, play } of SCENES) {
    demo.narrator.title(title);
    await play(demo);
  }
  await demo.rig.mac.settled();
  return demo.ledger.report(demo.rig.mac.messages.effects);
}

async function perform(dir: string, isInteractive: boolean): Promise<number> {
  let demo: Demo | undefined;
  try {
    demo = await Promise.race([Demo.create(dir), interrupted]);
    await Promise.race([demo.rig.startAgent(), interrupted]);
    const ok = await Promise.race([isInteractive ? talk(demo) : play(demo), interrupted]);
    return ok ? 0 : 1;
  } catch (error) {
    if (error instanceof Interrupted) return 128 + constants.signals[error.signal];
    console.error(`\nThe demo could not go on: ${(error as Error).message}`);
    return 1;
  } finally {
    await demo?.close();
  }
}

const args = readArgs();
if (args.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const dir = mkdtempSync(join(tmpdir(), 'edge-relay-demo-'));
console.log('A hub as the backend, a simulated Mac (macOS 26), and the real agent as a process of its own.');
console.log('Times count from what a person did. Ann → writes; Ann ← is what her phone shows.');
const code = await perform(dir, args.interactive);
if (args.keep) {
  console.log(`\nKept: ${dir}`);
  console.log('  config.yaml, edge-agent.log, state/state.db, hub.db, mac/Library/Messages/chat.db');
  console.log(`  node scripts/with-node.mjs src/index.ts status --config ${join(dir, 'config.yaml')}`);
} else {
  rmSync(dir, { recursive: true, force: true });
}
// A scene that was interrupted may still wait for something.
process.exit(code);
