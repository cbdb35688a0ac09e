import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { SimulatedMac } from '../src/simulator/SimulatedMac.ts';
import { failStandIn } from '../src/simulator/standIns/behave.ts';
import { type BenchRow, quantile } from './BenchRow.ts';
import { HubProcess } from './HubProcess.ts';
import { BENCH_AGENT } from './Stage.ts';

const RUNS = Number(process.env.RUNS ?? 40);
const GOAL_MS = 3_000;
const HISTORY = 100_000;
const PROGRAM = resolve(import.meta.dirname, '../dist/index.js');
/** Programs of macOS that hang, one after the other. */
const HANGING = ['pmset', 'fdesetup', 'sw_vers', 'defaults'];

/** How long `edge-agent doctor` takes from its start to its end: the compiled program, stand-ins, a hub on loopback. */
export async function run(): Promise<BenchRow[]> {
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.status !== 0) throw new Error('the build failed');
  const dir = mkdtempSync(join(tmpdir(), 'edge-bench-'));
  const mac = await SimulatedMac.create({ dir: join(dir, 'mac') });
  const hub = new HubProcess();
  try {
    mac.fillHistory({ messages: HISTORY, until: Date.now() });
    await hub.start();
    const home = join(dir, 'home');
    mkdirSync(join(home, 'state'), { recursive: true, mode: 0o700 });
    const config = join(home, 'config.yaml');
    writeFileSync(config, stringify(configFor(mac, hub.url)), { mode: 0o600 });
    const env = {
      ...process.env,
      HOME: home,
      EDGE_SECRET: hub.secret,
      PATH: [mac.binPath, process.env.PATH].join(delimiter),
    };
    const well = await times(config, env);
    for (const name of HANGING) failStandIn(mac.standInStatePath, name, { hang: true });
    mac.messages.automation = 'unanswered';
    const hung = await times(config, env);
    return [row('doctor, all checks', well), row(`doctor, ${HANGING.length} programs and Messages hang`, hung)];
  } finally {
    await hub.close();
    await mac.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function configFor(mac: SimulatedMac, url: string) {
  return {
    edge: { agent_id: BENCH_AGENT },
    backend: { url },
    imessage: { db_path: mac.chatDbPath, attachments_path: mac.attachmentsPath },
    sending: { osascript_path: mac.osascriptPath },
    logging: { file: 'logs/edge-agent.log' },
    state: { dir: 'state' },
  };
}

async function times(config: string, env: NodeJS.ProcessEnv): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < RUNS; n++) {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [PROGRAM, 'doctor', '--config', config], { env, stdio: 'ignore' });
    await once(child, 'exit');
    taken.push(performance.now() - startedAt);
  }
  return taken;
}

function row(name: string, taken: readonly number[]): BenchRow {
  const [p50, p99] = [quantile(taken, 0.5), quantile(taken, 0.99)];
  return { name, unit: 'ms', goal: `p99 < ${GOAL_MS}`, value: p50, p50, p99, ok: p99 < GOAL_MS };
}
