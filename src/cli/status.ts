import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { controlSocketPath } from '../ops/ControlServer.ts';
import { CRASH_LOOP_FILE, CrashLoop } from '../ops/CrashLoop.ts';
import { controlRequest } from '../ops/controlClient.ts';
import { logTail } from '../ops/logTail.ts';
import type { AgentStatus, DownStatus } from '../ops/status.ts';
import { conditionStatus, NEVER_RAN, storedConditions, storeStatus } from '../ops/status.ts';
import { StateStore } from '../state/StateStore.ts';
import { systemClock } from '../util/Clock.ts';
import { codeOf, EdgeError, messageOf } from '../util/EdgeError.ts';
import { printable } from '../util/printable.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';
import { renderStatus } from './renderStatus.ts';

/** As `systemctl status` has it, so that scripts need not learn another set. */
const STATUS_EXIT = { healthy: 0, conditions: 1, down: 3 } as const;
const LOG_LINES = 10;

/** `edge-agent status`: asks the agent; when none runs, says so and reads what it left in state.db. */
export async function status(options: CommonOptions, io: Io): Promise<number> {
  const { config } = openConfig(options, io);
  const current = (await askAgent(config)) ?? down(config);
  const log = logTail(config.logging.file, LOG_LINES);
  io.out(
    options.json
      ? `${printable(JSON.stringify({ ...current, log }))}\n`
      : renderStatus(current, config.logging.file, log),
  );
  if (!current.running) return STATUS_EXIT.down;
  return current.conditions.length > 0 ? STATUS_EXIT.conditions : STATUS_EXIT.healthy;
}

/** The status of the agent that runs; undefined where none does, or one whose start is held back. */
export async function askAgent(config: Config): Promise<AgentStatus | undefined> {
  try {
    const socketPath = controlSocketPath(config.state.dir);
    const { body } = await controlRequest({ socketPath, method: 'GET', path: '/status' });
    const answer = body as AgentStatus | DownStatus;
    return answer.running ? answer : undefined;
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'EDGE_NOT_RUNNING') return undefined;
    throw error;
  }
}

/** What an agent left that does not run. In a crash loop state.db may be the very thing that cannot be read. */
function down(config: Config): DownStatus {
  const { condition } = new CrashLoop({ path: join(config.state.dir, CRASH_LOOP_FILE), clock: systemClock });
  if (!condition) return readStore(config);
  const loop = conditionStatus(condition);
  try {
    const left = readStore(config);
    return { ...left, conditions: [loop, ...left.conditions] };
  } catch (error) {
    const store = { code: codeOf(error, 'EDGE_INTERNAL'), detail: messageOf(error), since: systemClock.now() };
    const conditions = [loop, conditionStatus(store)];
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
