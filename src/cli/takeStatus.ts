import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Places } from '../config/placesOf.ts';
import type { Config } from '../config/schema.ts';
import { controlSocketPath } from '../ops/ControlServer.ts';
import { CRASH_LOOP_FILE, CrashLoop } from '../ops/CrashLoop.ts';
import { controlRequest } from '../ops/controlClient.ts';
import type { Condition } from '../ops/Health.ts';
import { InstanceLock } from '../ops/InstanceLock.ts';
import { lastLineAt } from '../ops/logs/lastLineAt.ts';
import { RunMark } from '../ops/RunMark.ts';
import { installedCommand } from '../ops/service/installedPlist.ts';
import { servicePaths } from '../ops/service/servicePaths.ts';
import type { AgentStatus, DownStatus } from '../ops/status.ts';
import { conditionsLeft, NEVER_RAN, storedConditions, storeStatus } from '../ops/status.ts';
import { readWord, type Waiting } from '../ops/waiting.ts';
import { StateStore } from '../state/StateStore.ts';
import { systemClock } from '../util/Clock.ts';
import { codeOf, EdgeError, messageOf } from '../util/EdgeError.ts';
import { openStore } from './openStore.ts';
import { askLaunchd, type Ended, whyDown } from './whyDown.ts';

/** Whether launchd's agent has lost its property list: it runs on, and nothing starts it at the next login. */
interface Listed {
  readonly plist_missing: boolean;
}

/** Who waits, where somebody does: beside an agent that runs, launchd's for that one to end. */
interface Waits {
  readonly waiting: Waiting | null;
}

/** How the run before this one ended, where it was killed, or ended by itself with a code. */
interface LastRun {
  readonly killed_before: { readonly at: string; readonly today: number } | null;
  readonly failed_before: { readonly at: string; readonly code: string } | null;
}

/** The status, or that of an agent that does not run with why; `ended` is null where its process is there and says so itself. */
export type Taken =
  | (AgentStatus & Waits & LastRun & Listed)
  | (DownStatus & Waits & { readonly ended: Ended | null; readonly stored: boolean });

/** Where to look. */
type Known = Pick<Config, 'edge' | 'state' | 'logging'>;

/** The same of a configuration that has problems: an agent may run with what it read before, or wait for them to be mended. */
export function takeStatusAt({ edge, ...places }: Places): Promise<Taken> {
  return takeStatus({ ...places, edge: { ...edge, agent_id: edge.agent_id ?? 'unknown' } as Config['edge'] });
}

/** What the agent says, else what it left behind. */
export async function takeStatus(config: Known): Promise<Taken> {
  const answer = await ask(config.state.dir).catch((error: unknown) => notAnswering(config, error));
  const waiting = await whoWaits(config.state.dir);
  if (answer && 'running' in answer && answer.running) {
    const { killed, failureBefore } = markOf(config);
    const killed_before = dated(killed);
    const failed_before = dated(failureBefore);
    return { ...answer, waiting, killed_before, failed_before, plist_missing: await isPlistMissing(answer.pid) };
  }
  const loop = new CrashLoop({ path: join(config.state.dir, CRASH_LOOP_FILE), clock: systemClock });
  const said = (answer?.conditions ?? []).map(asCondition);
  if (waiting && !said.some(({ code }) => code === 'EDGE_NOT_ANSWERING')) return waitingStatus(config, waiting);
  const isThere = said.length > 0 && !loop.condition;
  const left = down(config, loop.condition ? [loop.condition] : said);
  return { ...left, waiting, ended: isThere ? null : await endOf(config, left, loop) };
}

/** Of an agent that waits: what it waits for, and what state.db says where that can be read. */
function waitingStatus(config: Pick<Config, 'state' | 'edge'>, waiting: Waiting): Taken {
  const { code, detail, since } = waiting;
  const conditions = conditionsLeft([{ code, detail, since: Date.parse(since) }]);
  try {
    return { ...readStore(config), ...conditions, waiting, ended: null, stored: true };
  } catch {
    return { ...neverRan(config, []), ...conditions, waiting, ended: null, stored: false };
  }
}

/** launchd is asked only where there is none: an agent from a terminal needs none. */
async function isPlistMissing(pid: number): Promise<boolean> {
  return !existsSync(servicePaths(homedir()).plist) && (await askLaunchd())?.pid === pid;
}

/** A process with that number may be another by now: launchd knows which is its own, where there is one. */
async function whoWaits(stateDir: string): Promise<Waiting | null> {
  const word = readWord(stateDir);
  if (!word) return null;
  const launchd = await askLaunchd();
  return launchd === null || launchd.pid === word.pid ? word : null;
}

/** The status of the agent that runs; undefined where none does, none answers, or one whose start is held back. */
export async function askAgent(config: Pick<Config, 'state'>): Promise<AgentStatus | undefined> {
  const answer = await ask(config.state.dir).catch((error: unknown) => {
    if (error instanceof EdgeError && error.code === 'EDGE_NOT_ANSWERING') return undefined;
    throw error;
  });
  return answer?.running ? answer : undefined;
}

/** What an agent that does not run left behind, and `more` that stands; of one that never ran zeros and nulls. @throws EdgeError */
export function readStore(config: Pick<Config, 'state' | 'edge'>, more: readonly Condition[] = []): DownStatus {
  const agent_id = config.edge.agent_id;
  const store = openStore(config.state.dir, (path) => StateStore.openReadOnly(path));
  if (!store) return neverRan(config, more);
  try {
    const version = store.meta.get('version') ?? null;
    const left = storedConditions(store).filter(({ code }) => code !== 'EDGE_CRASH_LOOP'); // its own file knows better
    return {
      running: false,
      version,
      agent_id,
      ...conditionsLeft([...more, ...left]),
      ...storeStatus(store, systemClock.now()),
    };
  } finally {
    store.close();
  }
}

/** Undefined where nobody listens. @throws EdgeError EDGE_NOT_ANSWERING */
async function ask(stateDir: string): Promise<AgentStatus | DownStatus | undefined> {
  try {
    const socketPath = controlSocketPath(stateDir);
    const { body } = await controlRequest({ socketPath, method: 'GET', path: '/status' });
    return body as AgentStatus | DownStatus;
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'EDGE_NOT_RUNNING') return undefined;
    throw error;
  }
}

/** Since when: its last sign of life, to a minute, which may be hours before somebody asks. */
function notAnswering(config: Known, error: unknown): Pick<DownStatus, 'conditions'> {
  if (!(error instanceof EdgeError) || error.code !== 'EDGE_NOT_ANSWERING') throw error;
  const pid = InstanceLock.holder(join(config.state.dir, 'lock.db'));
  const detail = `${pid === undefined ? 'the agent' : `process ${pid}`} does not answer: ${error.message}`;
  const since = lastAliveOf(config) ?? systemClock.now();
  return conditionsLeft([{ code: error.code, detail, since }]);
}

function dated<T extends { readonly at: number }>(
  end: T | undefined,
): (Omit<T, 'at'> & { readonly at: string }) | null {
  return end ? { ...end, at: new Date(end.at).toISOString() } : null;
}

function markOf({ state }: Pick<Config, 'state'>): RunMark {
  return new RunMark({ stateDir: state.dir, clock: systemClock });
}

/** An agent has run here, and its state.db was moved or deleted since: nothing it says of itself is known. */
function isStateGone(config: Pick<Config, 'state'>): boolean {
  return !existsSync(join(config.state.dir, 'state.db')) && markOf(config).exists;
}

/** Its mark, or its last line where it left none, ms since 1970. */
function lastAliveOf({ logging, state }: Known): number | undefined {
  const lastLine = lastLineAt(logging.file);
  return new RunMark({ stateDir: state.dir, clock: systemClock, lastLineAt: () => lastLine }).lastAlive ?? lastLine;
}

async function endOf(
  config: Known,
  status: DownStatus & { stored: boolean },
  { lastFailure }: CrashLoop,
): Promise<Ended> {
  const launchd = await askLaunchd();
  const node = installedCommand(servicePaths(homedir()).plist)?.node;
  const missing_node = node === undefined || existsSync(node) ? null : node;
  // A crash loop counts what ends soon after its start; the mark has every end, once a run has begun.
  const marked = markOf(config).failure;
  const failure = (marked?.at ?? 0) > (lastFailure?.at ?? 0) ? marked : lastFailure;
  const traces = { status, failure, stateGone: isStateGone(config), lastAliveAt: lastAliveOf(config), launchd };
  return { ...whyDown(traces), missing_node };
}

/** What an agent left that does not run, below why. state.db may be the very thing it ended with, and cannot be read. */
function down(config: Known, why: readonly Condition[]): DownStatus & { stored: boolean } {
  try {
    return { ...readStore(config, why), stored: !isStateGone(config) };
  } catch (error) {
    const code = codeOf(error, 'EDGE_INTERNAL');
    const store = { code, detail: messageOf(error), since: systemClock.now() };
    return { ...neverRan(config, why.some((one) => one.code === code) ? why : [...why, store]), stored: false };
  }
}

function neverRan({ edge }: Pick<Config, 'edge'>, conditions: readonly Condition[]): DownStatus {
  const { agent_id } = edge;
  return { running: false, version: null, agent_id, ...conditionsLeft(conditions), ...NEVER_RAN };
}

function asCondition({ code, text, since }: DownStatus['conditions'][number]): Condition {
  return { code, detail: text, since: Date.parse(since) };
}
