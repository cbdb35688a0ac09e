import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { controlSocketPath } from '../../../src/ops/ControlServer.ts';
import { controlRequest } from '../../../src/ops/controlClient.ts';
import type { AgentStatus } from '../../../src/ops/status.ts';
import { waitFor } from '../../support/waitFor.ts';
import { CANARY, type FaultRun } from './FaultRun.ts';
import type { ProcessFigures } from './processFigures.ts';

/** A script that runs, a file that is being rotated, beside what was open before. */
const SPARE_FILES = 4;
/** Of an agent that reads chat.db, without its connections, where none was looked at before the fault: Node 22, 24 and 26. */
const OPEN_FILES = 34;
/** How often it is asked for what it shows, ms: conditions that a case waits for stand at least so long. */
const LOOK_MS = 200;

/** I5, without a person's help: the socket is back, and nothing is held to be wrong but what the case says stays so. */
export async function isHealthy(run: FaultRun, withinMs: number, staying: readonly string[]): Promise<void> {
  await run.rig.agent.ready(
    ({ websocket, conditions }) =>
      websocket.up === run.hasSocket && conditions.every(({ code }) => staying.includes(code)),
    withinMs,
  );
  const health = (await (await fetch(`${run.rig.hub.url}/health`)).json()) as { connections: number };
  expect(health.connections).toBe(run.hasSocket ? 1 : 0);
}

/** I7, but for the event loop, whose figures are reported and decide over nothing here. */
export async function takesNoMoreThanBefore(
  run: FaultRun,
  before: ProcessFigures | undefined,
  maxRssMegabytes: number,
): Promise<void> {
  if (run.peakRssMegabytes !== undefined) expect(run.peakRssMegabytes).toBeLessThan(maxRssMegabytes);
  if (!run.figures) return;
  // Connections to a backend that answers are kept for a while.
  const most = () => (before?.files ?? OPEN_FILES) + run.front.connections + SPARE_FILES;
  await waitFor('the files to be closed', () => run.figures!.files <= most());
}

/** I6: ends the agent, which is still the process that the case left behind, and hears of nothing that nobody caught. */
export async function stopsInOrder({ rig }: FaultRun, pid: number | undefined): Promise<void> {
  expect(rig.agent.isRunning).toBe(true);
  expect(rig.agent.pid).toBe(pid);
  expect(await rig.agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
}

/** I6: nothing that nobody caught, and nothing on stderr but what the case says. */
export function saysNothingUncaught({ rig }: FaultRun, stderr: RegExp, isDefect: boolean): void {
  expect(rig.agent.stderr).toMatch(stderr);
  if (!isDefect) expect(rig.agent.log).not.toMatch(/unhandledRejection|uncaughtException|EDGE_INTERNAL/);
}

/**
 * What an operator can ask a running agent for, but for why the backend refused a message: those are the backend's own
 * words, which may quote it.
 */
export async function whatItShows({ rig }: FaultRun): Promise<string> {
  const socketPath = controlSocketPath(rig.path('state'));
  const [status, metrics] = await Promise.all(
    ['/status', '/metrics'].map((path) => controlRequest({ socketPath, method: 'GET', path })),
  );
  const { dead_letters, ...shown } = status!.body as AgentStatus;
  return JSON.stringify([shown, dead_letters.map(({ detail, ...letter }) => letter), metrics!.body]);
}

/**
 * I8 while the fault stands, when conditions and dead letters are shown: asks until the function returned is called, which
 * tells of what it saw. An agent that does not answer shows nothing.
 */
export function watchWhatItShows(run: FaultRun): () => Promise<void> {
  const leaks = new Set<string>();
  const over = new AbortController();
  const watched = (async () => {
    while (!over.signal.aborted) {
      for (const leak of leaksIn(run, await whatItShows(run).catch(() => ''))) leaks.add(leak);
      await pause(LOOK_MS, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  return async () => {
    over.abort();
    await watched;
    expect([...leaks]).toEqual([]);
  };
}

/** I8: no secret, number or text in the log, on stderr, or in what else the agent shows. */
export function keepsSecrets(run: FaultRun, shown: string): void {
  const { agent } = run.rig;
  for (const text of [agent.log, agent.stderr, shown]) expect(leaksIn(run, text)).toEqual([]);
}

function leaksIn({ rig, ledger }: FaultRun, text: string): string[] {
  const threads = [...ledger.inserted, ...ledger.asked].map(({ thread }) => thread);
  const canaries = new Set([rig.secret, CANARY, ...threads.filter((thread) => thread.startsWith('+'))]);
  return [...canaries].filter((canary) => text.includes(canary)).map((canary) => around(text, canary));
}

function around(text: string, canary: string): string {
  const at = text.indexOf(canary);
  return text.slice(Math.max(0, at - 100), at + canary.length + 100);
}
