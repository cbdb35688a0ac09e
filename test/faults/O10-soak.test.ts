import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import type { Deed, LineFault } from './whole/Plan.ts';
import { CONFIG, Stage } from './whole/Stage.ts';

const HOUR_MS = 3600_000;
/**
 * The short form has another pace, and is too short to say anything of a slope. Before the hours that were asked for comes
 * `warmMs` in which all goes `haste` times as fast: what is loaded and compiled once still comes, and V8 compiles a
 * function anew when it was called some thousand times.
 */
const LONG = { messageMs: 1000, commandMs: 5000, faultMs: 30_000, sampleMs: 10_000, warmMs: 1_800_000, haste: 3 };
const SHORT = { messageMs: 200, commandMs: 1000, faultMs: 2000, sampleMs: 500, warmMs: 6000, haste: 1 };
const PACE = settings.hours === undefined ? SHORT : LONG;
const SOAK_MS = PACE.warmMs + (settings.hours === undefined ? 6000 : settings.hours * HOUR_MS);
const MAX_SLOPE = 1;
/** Which part of the time between two faults each lasts at most. */
const FAULT_SHARE = 0.4;

/**
 * glibc, unlike the malloc of macOS, gives each thread an arena of its own and keeps what was once used of it, such as by
 * a compiler of V8 for a moment: some megabytes at a time, which would be taken for the agent's.
 */
const GIVES_BACK = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' };

/** All but kills: a slope is that of one process. */
const FAULTS: readonly Deed[] = [
  ...(['cut', 'black hole', 'reset', 'slow', 'up lost', 'down lost'] as const satisfies LineFault[]).flatMap((fault) =>
    (['socket', 'http'] as const).map((line) => ({ do: 'line', line, fault }) as const),
  ),
  ...(['errors', 'too many', 'silence', 'takes and resets'] as const).map(
    (illness) => ({ do: 'ill', illness }) as const,
  ),
  ...(['error after the bubble', 'slow', 'row late', 'not running'] as const).map(
    (obstacle) => ({ do: 'obstacle', obstacle }) as const,
  ),
  { do: 'replace', by: 'same-rows' },
];

faultTest('O10 takes no more memory, files or timers after faults one upon the other than before', {
  rig: { config: CONFIG, env: GIVES_BACK },
  timeoutMs: SOAK_MS + 120_000,
  async fault(run) {
    const stage = new Stage(run);
    const idle = await quiet(run);
    const end = performance.now() + SOAK_MS;
    const warmAt = performance.now() + PACE.warmMs;
    const every = async (ms: number, act: (ms: number) => unknown) => {
      for (let at = performance.now(), step = ms; at < end; at += step) {
        step = at < warmAt ? ms / PACE.haste : ms;
        await act(step);
        await pause(Math.max(0, at + step - performance.now()));
      }
    };
    let n = 0;
    run.runs = 0;
    stage.enter();
    await Promise.all([
      every(PACE.messageMs, () => run.write(n++ % 2 === 0 ? ANN : BEN)),
      every(PACE.commandMs, () => run.ask(n % 2 === 0 ? ANN : BEN)),
      every(PACE.sampleMs, () => run.samples.push(sample(run, SOAK_MS - (end - performance.now())))),
      every(PACE.faultMs, async (ms) => {
        run.runs++;
        await stage.bring(FAULTS[Math.floor(run.random() * FAULTS.length)]!);
        await pause(run.random() * ms * FAULT_SHARE);
        await stage.bring({ do: 'mend' });
        await stage.bring({ do: 'well' });
      }),
    ]);
    await stage.lift();
    await run.quiet(15_000);
    const warm = run.samples.filter(({ atMs }) => atMs! >= PACE.warmMs);
    const slope = slopeOf(warm.map(({ atMs, rssMegabytes }) => [atMs! / HOUR_MS, rssMegabytes!]));
    await waitFor('as few timers as before', () => run.clock.timers <= idle.timers!).catch(() => {});
    const last = sample(run, SOAK_MS);
    const rss = `RSS ${idle.rssMegabytes!.toFixed(0)} to ${last.rssMegabytes!.toFixed(0)} MB`;
    const trend = settings.hours === undefined ? '' : `, ${slope.toFixed(2)} MB/h`;
    run.note = `${n} messages; ${rss}${trend}; files ${idle.files} to ${last.files}, timers ${idle.timers} to ${last.timers}`;
    expect(last.timers).toBeLessThanOrEqual(idle.timers!);
    if (settings.hours !== undefined) expect(slope).toBeLessThan(MAX_SLOPE);
  },
});

async function quiet(run: FaultRun): Promise<Readonly<Record<string, number>>> {
  await run.quiet(15_000);
  await pause(PACE.sampleMs);
  return sample(run, 0);
}

function sample(run: FaultRun, atMs: number): Readonly<Record<string, number>> {
  const { rssMegabytes = 0, files = 0 } = run.figures ?? {};
  const { heapBytes = 0, heapTotalBytes = 0, externalBytes = 0 } = run.inside ?? {};
  return {
    atMs: Math.round(atMs),
    rssMegabytes,
    heapMegabytes: heapBytes / 1e6,
    heapTotalMegabytes: heapTotalBytes / 1e6,
    externalMegabytes: externalBytes / 1e6,
    files,
    timers: run.clock.timers,
  };
}

/** Of the straight line that is nearest to the points by least squares; NaN for fewer than two. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([x]) => x), mean(([, y]) => y)];
  return mean((point) => (point[0] - x) * (point[1] - y)) / mean((point) => (point[0] - x) ** 2);
}
