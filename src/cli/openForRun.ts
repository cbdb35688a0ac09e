import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findConfig } from '../config/loadConfig.ts';
import { placesOf } from '../config/placesOf.ts';
import type { Config } from '../config/schema.ts';
import { controlSocketPath } from '../ops/ControlServer.ts';
import { InstanceLock } from '../ops/InstanceLock.ts';
import { createLog, type Log } from '../ops/log.ts';
import { requireSqlite } from '../ops/requireSqlite.ts';
import { systemClock } from '../util/Clock.ts';
import { EdgeError } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import { explain } from './explain.ts';
import type { CommonOptions, Io } from './Io.ts';
import { isLaunchdService } from './launchd.ts';
import { openConfig } from './openConfig.ts';
import { marks, standBy } from './standBy.ts';

/** What no start again helps: somebody has to do something first, or the other agent to end. */
const PERMANENT: readonly ErrorCode[] = [
  'EDGE_CONFIG_INVALID',
  'EDGE_SQLITE_MISSING',
  'EDGE_STATE_NEWER',
  'EDGE_ALREADY_RUNNING',
];
/** How often it looks again although no file it knows of has changed, ms: modules lie in many. */
const RETRY_MS = 60_000;

/** Whether the process is to wait for somebody to mend this rather than to end with it. */
export function isWaitedFor(error: unknown, io: Io): error is EdgeError {
  return isLaunchdService(io) && error instanceof EdgeError && PERMANENT.includes(error.code);
}

/**
 * The configuration to run with, and a SQLite that can be loaded. Under launchd they are waited for; undefined when the
 * agent is told to stop meanwhile. @throws EdgeError otherwise
 */
export async function openForRun(
  options: CommonOptions,
  io: Io,
  stop: Promise<string>,
): Promise<{ config: Config; file: string } | undefined> {
  let said: string | undefined;
  let since = systemClock.now();
  for (;;) {
    const file = findConfig(options.config, io.cwd, existsSync);
    const before = marks([file]);
    try {
      const opened = openConfig(options, io);
      requireSqlite();
      return opened;
    } catch (error) {
      if (!isWaitedFor(error, io)) throw error;
      const held = hold(file);
      if (said !== error.message) {
        explain(error, io);
        held.log.logger.error(
          `${error.code}: ${error.message.replaceAll('\n', '; ')}. ${error.fix} The agent waits for it, and starts then.`,
        );
        held.log.flush();
        said = error.message;
        since = systemClock.now();
      }
      const { control, stateDir, log } = held;
      const waits = {
        error,
        files: [file],
        before,
        control,
        stateDir,
        since,
        clock: systemClock,
        logger: log.logger,
        stop,
        retryMs: RETRY_MS,
      };
      const outcome = await standBy(waits);
      log.close();
      held.lock?.release();
      if (outcome === 'stop') return undefined;
    }
  }
}

/** The log, the lock and the place to be asked at, each where it can be had. Makes no folder for state. */
function hold(file: string): {
  log: Log;
  lock?: InstanceLock;
  control: { socketPath: string; agentId: string } | undefined;
  stateDir: string;
} {
  const { state, logging, edge } = placesOf(file); // the same places as those who look for it take
  const log = createLog({
    file: logging.file,
    level: logging.level,
    format: logging.format,
    maxBytes: logging.max_bytes,
    maxFiles: logging.max_files,
    clock: systemClock,
  });
  try {
    if (!existsSync(state.dir)) return { log, control: undefined, stateDir: state.dir };
    const lock = InstanceLock.acquire(join(state.dir, 'lock.db'));
    const control = { socketPath: controlSocketPath(state.dir), agentId: edge.agent_id ?? 'unknown' };
    return { log, lock, control, stateDir: state.dir };
  } catch {
    return { log, control: undefined, stateDir: state.dir }; // no SQLite, or another agent holds it and is the one to be asked
  }
}
