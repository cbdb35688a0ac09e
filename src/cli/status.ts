import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { controlSocketPath } from '../ops/ControlServer.ts';
import { CRASH_LOOP_FILE, CrashLoop } from '../ops/CrashLoop.ts';
import { controlRequest } from '../ops/controlClient.ts';
import type { Condition } from '../ops/Health.ts';
import { readLogLine } from '../ops/logs/logLine.ts';
import { logTail } from '../ops/logTail.ts';
import { runProgram } from '../ops/macos/programs.ts';
import type { AgentStatus, DownStatus } from '../ops/status.ts';
import { conditionsLeft, NEVER_RAN, storedConditions, storeStatus } from '../ops/status.ts';
import { StateStore } from '../state/StateStore.ts';
import { systemClock } from '../util/Clock.ts';
import { codeOf, EdgeError, messageOf } from '../util/EdgeError.ts';
import { printable } from '../util/printable.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';
import { paintStatus } from './paint.ts';
import { renderStatus } from './renderStatus.ts';
import { askLaunchd, type Ended, whyDown } from './whyDown.ts';

/** As `systemctl status` has it, so that scripts need not learn another set. */
const STATUS_EXIT = { healthy: 0, critical: 1, down: 3 } as const;
const LOG_LINES = 10;

export interface StatusOptions extends CommonOptions {
  readonly watch?: boolean;
}

/** The status, or that of an agent that does not run with why. */
export type Taken = AgentStatus | (DownStatus & { readonly ended: Ended });

/**
 * `edge-agent status`: asks the agent; when none runs, says so and reads what it left in state.db. Warnings
 * alone leave the exit code 0, as they leave GET /health at 200: all is done that is to be done.
 */
export async function status(options: StatusOptions, io: Io): Promise<number> {
  const { config } = openConfig(options, io);
  const { file } = config.logging;
  const take = () => takeStatus(config);
  if (options.watch) {
    const { watchStatus } = await import('./watchStatus.ts');
    await watchStatus({ take, logFile: file, isJson: options.json === true, out: io.out, clock: systemClock });
    return EXIT.ok;
  }
  const current = await take();
  const log = logTail(file, LOG_LINES);
  if (options.json) io.out(`${printable(JSON.stringify({ ...current, log }))}\n`);
  else io.out(`${paintStatus(renderStatus(current, file, log), current).join('\n')}\n`);
  if (!current.running) return STATUS_EXIT.down;
  return current.conditions.some(({ severity }) => severity === 'critical')
    ? STATUS_EXIT.critical
    : STATUS_EXIT.healthy;
}

async function takeStatus(config: Config): Promise<Taken> {
  const running = await askAgent(config);
  if (running) return running;
  const loop = new CrashLoop({ path: join(config.state.dir, CRASH_LOOP_FILE), clock: systemClock });
  const left = down(config, loop.condition);
  const lastLine = readLogLine(logTail(config.logging.file, 1)[0] ?? '');
  const launchd = await askLaunchd(runProgram, process.getuid?.() ?? 0);
  return {
    ...left,
    ended: whyDown({ status: left, failure: loop.lastFailure, lastLineAt: lastLine?.at, launchd }),
  };
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
function down(config: Config, condition: Condition | undefined): DownStatus {
  if (!condition) return readStore(config);
  try {
    return readStore(config, [condition]);
  } catch (error) {
    const store = { code: codeOf(error, 'EDGE_INTERNAL'), detail: messageOf(error), since: systemClock.now() };
    return neverRan(config, [condition, store]);
  }
}

function neverRan(config: Config, conditions: readonly Condition[]): DownStatus {
  return {
    running: false,
    version: null,
    agent_id: config.edge.agent_id,
    ...conditionsLeft(conditions),
    ...NEVER_RAN,
  };
}

/** What an agent that does not run left behind, and `more` that stands; of one that never ran zeros and nulls. @throws EdgeError */
export function readStore(config: Config, more: readonly Condition[] = []): DownStatus {
  const path = join(config.state.dir, 'state.db');
  const agent_id = config.edge.agent_id;
  if (!existsSync(path)) return neverRan(config, more);
  let store: StateStore;
  try {
    store = StateStore.openReadOnly(path);
  } catch (error) {
    if (error instanceof EdgeError) throw error;
    throw new EdgeError('EDGE_STATE_DIR', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
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
