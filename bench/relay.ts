import { spawnSync } from 'node:child_process';
import { type BenchRow, quantile } from './BenchRow.ts';
import { commandToScript, type Latencies } from './commandToScript.ts';
import { cpuMs } from './cpuMs.ts';
import { latency } from './latency.ts';
import { rssMegabytes } from './rssMegabytes.ts';
import { Stage, type StageOptions, until } from './Stage.ts';

const COMMITS = Number(process.env.COMMITS ?? 1000);
const FLOOR_COMMITS = Math.min(300, COMMITS);
/** Longer than the last look after a file event (50 ms), so that a commit noticed only by the next one shows. */
const PAUSE: [number, number] = [60, 110];
/** A message that comes later than this after its commit was noticed by something else than its own event, ms. */
const LATE_MS = 60;
const IDLE_SETTLE_MS = 40_000;
const IDLE_WINDOW_MS = 60_000;

/** The figures of the relay as a whole, each beside the bare floor measured in the same run. */
export async function run(): Promise<BenchRow[]> {
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.status !== 0) throw new Error('the build failed');
  const floor = await commitToPost('floor', { synchronous: 'NORMAL', history: 0 }, FLOOR_COMMITS);
  const normal = await commitToPost('agent', { synchronous: 'NORMAL', history: 0 }, COMMITS);
  const full = await commitToPost('agent', { synchronous: 'FULL', history: 0 }, COMMITS);
  const old = await commitToPost('agent', { synchronous: 'NORMAL', history: 1_000_000 }, COMMITS);
  const commandFloor = await commandToScript('floor');
  const command = await commandToScript('agent');
  return [
    latency('commit → POST, bare floor', floor, undefined),
    latency('commit → POST, writer NORMAL', normal, { p50: 3, p99: 10 }),
    ratio('ratio to the floor, p50', normal.ms, floor.ms),
    latency('commit → POST, writer FULL', full, { p50: 6 }),
    latency('commit → POST, 1,000,000 older', old, { p50: 3, p99: 10 }),
    late([normal, full, old]),
    latency('command → osascript, bare floor', commandFloor, undefined),
    latency('command → osascript', command, { p50: 6, p99: 15 }),
    ratio('ratio to the floor, p50', command.ms, commandFloor.ms),
    ...(await burst()),
    ...(await idle()),
  ];
}

async function commitToPost(who: 'agent' | 'floor', options: StageOptions, count: number): Promise<Latencies> {
  const stage = await Stage.create(options);
  try {
    if (who === 'agent') await stage.startAgent();
    else await stage.startFloor('reader');
    await stage.write({ do: 'commit', count, pause: PAUSE });
    await until(() => stage.backend.arrivals.size >= count, 5000);
    const arrivals = [...stage.commits].map(([guid, at]) => (stage.backend.arrivals.get(guid) ?? Number.NaN) - at);
    const ms = arrivals.filter((value) => !Number.isNaN(value));
    return { ms, missing: count - ms.length };
  } finally {
    await stage.close();
  }
}

async function burst(): Promise<BenchRow[]> {
  const stage = await Stage.create({ synchronous: 'NORMAL', history: 0 });
  try {
    await stage.startAgent();
    await stage.write({ do: 'commit', count: 20, pause: [5, 10] }); // warm, as a running agent is
    const { guids, at } = await stage.burst(500, 50);
    const allThere = await until(() => guids.every((guid) => stage.backend.arrivals.has(guid)), 10_000);
    const last = Math.max(...guids.map((guid) => stage.backend.arrivals.get(guid) ?? Number.NaN));
    const place = new Map(guids.map((guid, index) => [guid, index]));
    const lastOfThread = new Map<string, number>();
    let misordered = 0;
    for (const { guid, thread } of stage.backend.order) {
      const index = place.get(guid);
      if (index === undefined) continue;
      if (index < (lastOfThread.get(thread) ?? -1)) misordered += 1;
      lastOfThread.set(thread, index);
    }
    const ms = last - at;
    return [
      { name: '500 messages in 50 threads', unit: 'ms', goal: '≤ 600', value: ms, ok: allThere && ms <= 600 },
      { name: '… started out of order', unit: 'messages', goal: '0', value: misordered, ok: misordered === 0 },
    ];
  } finally {
    await stage.close();
  }
}

/** RSS and CPU of an agent that has nothing to do; both from /proc, so on Linux only. */
async function idle(): Promise<BenchRow[]> {
  if (process.platform !== 'linux') return [];
  const stage = await Stage.create({ synchronous: 'NORMAL', history: 10_000 });
  try {
    const agent = await stage.startAgent();
    await new Promise((resolve) => setTimeout(resolve, IDLE_SETTLE_MS));
    const before = cpuMs(agent.pid!);
    await new Promise((resolve) => setTimeout(resolve, IDLE_WINDOW_MS));
    const share = ((cpuMs(agent.pid!) - before) / IDLE_WINDOW_MS) * 100;
    const rss = rssMegabytes(agent.pid!);
    return [
      { name: 'idle RSS after 100 s', unit: 'MB', goal: '≤ 95', value: rss, ok: rss <= 95 },
      { name: 'idle CPU over 60 s', unit: '% of a core', goal: '≤ 0.1', value: share, ok: share <= 0.1 },
    ];
  } finally {
    await stage.close();
  }
}

function ratio(name: string, ms: readonly number[], floor: readonly number[]): BenchRow {
  return { name, unit: '×', goal: '', value: quantile(ms, 0.5) / quantile(floor, 0.5), ok: true };
}

function late(all: readonly Latencies[]): BenchRow {
  const value = all.reduce((sum, { ms, missing }) => sum + missing + ms.filter((each) => each > LATE_MS).length, 0);
  const commits = all.reduce((sum, { ms, missing }) => sum + missing + ms.length, 0);
  return { name: `late of ${commits} commits`, unit: 'commits', goal: '0', value, ok: value === 0 };
}
