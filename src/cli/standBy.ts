import { statSync } from 'node:fs';
import process from 'node:process';
import { ControlServer } from '../ops/ControlServer.ts';
import { conditionStatus, type DownStatus, NEVER_RAN } from '../ops/status.ts';
import { packageVersion } from '../ops/version.ts';
import type { Clock } from '../util/Clock.ts';
import { type EdgeError, messageOf } from '../util/EdgeError.ts';
import type { Logger } from '../util/Logger.ts';

/** How often it looks whether a file has changed, ms. */
const LOOK_MS = 1_000;

export interface StandByOptions {
  /** What keeps the agent from starting, and no start again would help. */
  readonly error: EdgeError;
  /** Whose change may mean that somebody has mended it; those that are not there may come. */
  readonly files: readonly string[];
  /** Their `marks` from before they were read, so that no change in between is missed. @default those of now */
  readonly before?: string;
  /** Where GET /status is answered meanwhile; undefined where that is not known. The caller holds the lock. */
  readonly control: { readonly socketPath: string; readonly agentId: string } | undefined;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  /** Looks again after so long although nothing has changed, ms. @default never */
  readonly retryMs?: number;
  /** Ends it at once. */
  readonly stop: Promise<string>;
}

/**
 * Waits for somebody to mend what only a person can. Under launchd an agent that ended with it would be started every
 * 10 s for ever, each time with the same words in a file that nobody rotates. Resolves with 'stop' when the agent is
 * told to end, with 'look' when one of the files has changed, or on SIGHUP.
 */
export async function standBy({
  error,
  files,
  before = marks(files),
  control,
  clock,
  logger,
  retryMs,
  stop,
}: StandByOptions): Promise<'stop' | 'look'> {
  const { code, message: detail } = error;
  const since = clock.now();
  const looked = Promise.withResolvers<'look'>();
  const look = () => looked.resolve('look');
  const timer = clock.every(LOOK_MS, () => marks(files) !== before && look());
  const retry = retryMs === undefined ? undefined : clock.after(retryMs, look);
  process.on('SIGHUP', look);
  const status = (agent_id: string): DownStatus => ({
    running: false,
    version: packageVersion(),
    agent_id,
    conditions: [conditionStatus({ code, detail, since })],
    ...NEVER_RAN,
  });
  const server =
    control &&
    new ControlServer({
      path: control.socketPath,
      routes: { 'GET /status': () => ({ body: status(control.agentId) }) },
    });
  await server?.start().catch((problem: unknown) => logger?.warn(`status cannot be asked for: ${messageOf(problem)}`));
  try {
    return await Promise.race([looked.promise, stop.then(() => 'stop' as const)]);
  } finally {
    timer.cancel();
    retry?.cancel();
    process.off('SIGHUP', look);
    await server?.stop();
  }
}

/** What changes when a file is written, replaced, made or deleted. */
export function marks(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const { dev, ino, size, mtimeMs, ctimeMs } = statSync(file);
        return [dev, ino, size, mtimeMs, ctimeMs].join(':');
      } catch {
        return 'none';
      }
    })
    .join();
}
