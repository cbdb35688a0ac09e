import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { BenchRow } from './BenchRow.ts';
import { rows as block } from './block.ts';
import { rows as reads } from './chatDbReads.ts';
import { decodeSpeed } from './decode/speed.ts';
import { drain } from './drain.ts';

/** Mutated bodies and plists to decode; COUNT in the environment overrides it, SEED the seed. */
const DEFAULT_COUNT = 10_000_000;

/** The figures of the room that reads chat.db, section by section. */
export async function run(): Promise<BenchRow[]> {
  return [...(await reads()), ...(await block()), ...(await drain()), ...decodeSpeed(), ...mutations()];
}

function mutations(): BenchRow[] {
  const COUNT = process.env.COUNT ?? String(DEFAULT_COUNT);
  const SEED = process.env.SEED ?? String(Date.now() % 2 ** 32);
  console.error(`chatdb: ${COUNT} mutated bodies and plists, seed ${SEED} (SEED=${SEED} repeats them)`);
  const child = spawnSync(process.execPath, [join(import.meta.dirname, 'processes/mutations.ts')], {
    env: { ...process.env, COUNT, SEED },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error(`the process that decodes mutated blobs ended with ${child.status}`);
  return JSON.parse(child.stdout.toString()) as BenchRow[];
}
