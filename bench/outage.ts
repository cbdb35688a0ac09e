import type { BenchRow } from './BenchRow.ts';
import { cpuMs } from './cpuMs.ts';
import type { HubProcess } from './HubProcess.ts';
import { monotonicMs } from './monotonicMs.ts';
import type { Stage } from './Stage.ts';

const SETTLE_MS = Number(process.env.OUTAGE_SETTLE_MS ?? 60_000);
const WINDOW_MS = 60_000;
/** The longest step of the back-off, 60 s and a quarter on top, ms. */
const LONGEST_WAIT_MS = 75_000;

/** An agent whose backend is gone: what it costs, what it says, and how soon it is back. CPU on Linux only. */
export async function outage(hub: HubProcess, stage: Stage): Promise<BenchRow[]> {
  const agent = stage.agent!;
  await hub.kill('SIGKILL');
  const lostAt = Date.now();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = process.platform === 'linux' ? cpuMs(agent.pid!) : 0;
  await new Promise((resolve) => setTimeout(resolve, WINDOW_MS));
  const share = process.platform === 'linux' ? ((cpuMs(agent.pid!) - before) / WINDOW_MS) * 100 : Number.NaN;
  const said = linesSince(agent.log, lostAt);
  const refusals = said.filter(isRefusal);
  // The first step also tells what happened: the close, and the turn to polling.
  const later = said.filter(({ at }) => at > refusals[0]!.at);
  const linesAStep = later.length / (refusals.length - 1);
  const listens = await hub.start();
  const { at: upAt } = await hub.see(({ up }) => up === true, LONGEST_WAIT_MS + 15_000);
  const all = linesSince(agent.log, lostAt).filter(isRefusal);
  const refusedAt = all.at(-1)!.at - (Date.now() - monotonicMs());
  // The lost connection is followed by 1 s, the first refusal by 2 s, and so on; a quarter may come on top.
  const step = Math.min(60_000, 1_000 * 2 ** all.length) * 1.25;
  const beyond = Math.max(0, upAt - Math.max(listens, refusedAt + step));
  return [
    { name: 'CPU while the backend is gone', unit: '% of a core', goal: '< 1', value: share, ok: !(share >= 1) },
    { name: 'log lines a step of the back-off', unit: 'lines', goal: '≤ 1', value: linesAStep, ok: linesAStep <= 1 },
    { name: `back after ${(SETTLE_MS + WINDOW_MS) / 1_000} s`, unit: 'ms', goal: '', value: upAt - listens, ok: true },
    { name: '… beyond the wait in force', unit: 'ms', goal: '≤ 2000', value: beyond, ok: beyond <= 2_000 },
  ];
}

const isRefusal = ({ text }: { text: string }) => text.startsWith('WebSocket error:');

/** The lines of INFO and above from that moment on. */
function linesSince(log: string, since: number): { at: number; text: string }[] {
  return [...log.matchAll(/^\[([^\]]+)\] \[(?:INFO|WARN|ERROR)\] (.*)$/gm)]
    .map(([, time, text]) => ({ at: Date.parse(time!), text: text! }))
    .filter(({ at }) => at >= since);
}
