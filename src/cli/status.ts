import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../config/ConfigError.ts';
import { findConfig } from '../config/loadConfig.ts';
import { type Places, placesOf } from '../config/placesOf.ts';
import type { Config } from '../config/schema.ts';
import { controlSocketPath } from '../ops/ControlServer.ts';
import { CRASH_LOOP_FILE, CrashLoop } from '../ops/CrashLoop.ts';
import { controlRequest } from '../ops/controlClient.ts';
import { InstanceLock } from '../ops/InstanceLock.ts';
import { logTail } from '../ops/logTail.ts';
import type { AgentStatus, ConditionStatus, DownStatus } from '../ops/status.ts';
import { conditionStatus, NEVER_RAN, storedConditions, storeStatus } from '../ops/status.ts';
import { StateStore } from '../state/StateStore.ts';
import { systemClock } from '../util/Clock.ts';
import { codeOf, EdgeError, messageOf } from '../util/EdgeError.ts';
import { printable } from '../util/printable.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';
import { renderStatus } from './renderStatus.ts';

/** As `systemctl status` has it, so that scripts need not learn another set. */
const STATUS_EXIT = { healthy: 0, conditions: 1, down: 3, unknown: 4 } as const;
const LOG_LINES = 10;

/** `edge-agent status`: asks the agent; when none runs, says so and reads what it left in state.db. */
export async function status(options: CommonOptions, io: Io): Promise<number> {
  let places: Places;
  let current: AgentStatus | DownStatus;
  try {
    const { config } = openConfig(options, io);
    places = config;
    current = await statusOf(config);
  } catch (error) {
    const waiting = error instanceof ConfigError ? await waitingAgent(options, io) : undefined;
    if (!waiting) throw error;
    ({ places, current } = waiting);
  }
  const log = logTail(places.logging.file, LOG_LINES);
  io.out(
    options.json
      ? `${printable(JSON.stringify({ ...current, log }))}\n`
      : renderStatus(current, places.logging.file, log),
  );
  if (current.conditions.some(({ code }) => code === 'EDGE_NOT_ANSWERING')) return STATUS_EXIT.unknown;
  if (!current.running) return STATUS_EXIT.down;
  return current.conditions.length > 0 ? STATUS_EXIT.conditions : STATUS_EXIT.healthy;
}

/** What the agent says, else what it left behind. */
async function statusOf(config: Config): Promise<AgentStatus | DownStatus> {
  try {
    const answer = await ask(config.state.dir);
    return answer?.running ? answer : down(config, answer?.conditions ?? []);
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code !== 'EDGE_NOT_ANSWERING') throw error;
    const pid = InstanceLock.holder(join(config.state.dir, 'lock.db'));
    const detail = `${pid === undefined ? 'the agent' : `process ${pid}`} does not answer: ${error.message}`;
    return down(config, [conditionStatus({ code: error.code, detail, since: systemClock.now() })]);
  }
}

/** An agent that waits for its configuration to be mended; undefined where none is, or none can be found. */
async function waitingAgent(
  options: CommonOptions,
  io: Io,
): Promise<{ places: Places; current: DownStatus } | undefined> {
  const places = placesOf(findConfig(options.config, io.cwd, existsSync));
  const answer = places && (await ask(places.state.dir).catch(() => undefined));
  return answer && !answer.running ? { places, current: answer } : undefined;
}

/** The status of the agent that runs; undefined where none does, none answers, or one whose start is held back. */
export async function askAgent(config: Config): Promise<AgentStatus | undefined> {
  const answer = await ask(config.state.dir).catch((error: unknown) => {
    if (error instanceof EdgeError && error.code === 'EDGE_NOT_ANSWERING') return undefined;
    throw error;
  });
  return answer?.running ? answer : undefined;
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

/**
 * What an agent left that does not run, below what it says itself of why. In a crash loop state.db may be the very thing
 * that cannot be read.
 */
function down(config: Config, said: readonly ConditionStatus[]): DownStatus {
  const { condition } = new CrashLoop({ path: join(config.state.dir, CRASH_LOOP_FILE), clock: systemClock });
  const why = condition ? [conditionStatus(condition)] : said;
  if (why.length === 0) return readStore(config);
  try {
    const left = readStore(config);
    return { ...left, conditions: [...why, ...left.conditions] };
  } catch (error) {
    const code = codeOf(error, 'EDGE_INTERNAL');
    const store = conditionStatus({ code, detail: messageOf(error), since: systemClock.now() });
    const conditions = why.some((one) => one.code === code) ? why : [...why, store];
    return { running: false, version: null, agent_id: config.edge.agent_id, conditions, ...NEVER_RAN };
  }
}

/** What an agent that does not run left behind; of one that never ran zeros and nulls. @throws EdgeError */
export function readStore(config: Config): DownStatus {
  const path = join(config.state.dir, 'state.db');
  const agent_id = config.edge.agent_id;
  if (!existsSync(path)) return { running: false, version: null, agent_id, conditions: [], ...NEVER_RAN };
  let store: StateStore;
  try {
    store = StateStore.openReadOnly(path);
  } catch (error) {
    if (error instanceof EdgeError) throw error;
    throw new EdgeError('EDGE_STATE_DIR', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  try {
    const version = store.meta.get('version') ?? null;
    return {
      running: false,
      version,
      agent_id,
      conditions: storedConditions(store).filter(({ code }) => code !== 'EDGE_CRASH_LOOP'), // its own file knows better
      ...storeStatus(store, systemClock.now()),
    };
  } finally {
    store.close();
  }
}
