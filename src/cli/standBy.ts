import { statSync } from 'node:fs';
import process from 'node:process';
import { ControlServer } from '../ops/ControlServer.ts';
import { idleRoutes } from '../ops/healthRoutes.ts';
import { MonitoringServer } from '../ops/MonitoringServer.ts';
import { conditionsLeft, type DownStatus, NEVER_RAN } from '../ops/status.ts';
import { leaveWord } from '../ops/waiting.ts';
import type { Clock } from '../util/Clock.ts';
import { type EdgeError, messageOf } from '../util/EdgeError.ts';
import type { Logger } from '../util/Logger.ts';
import { packageVersion } from '../util/version.ts';

/** How often it looks whether a file has changed, ms. */
const LOOK_MS = 1_000;

/** Where what monitors ask is answered: the control socket, and of 127.0.0.1 the port, where that is known and not 0. */
interface WaitingControl {
  readonly socketPath: string;
  readonly monitoringPort?: number;
  readonly agentId: string;
}

export interface StandByOptions {
  /** What keeps the agent from starting, and no start again would help. */
  readonly error: EdgeError;
  /** Whose change may mean that somebody has mended it; those that are not there may come. */
  readonly files: readonly string[];
  /** Their `marks` from before they were read, so that no change in between is missed. @default those of now */
  readonly before?: string;
  /** Where GET /status is answered meanwhile; undefined where that is not known. The caller holds the lock. */
  readonly control: WaitingControl | undefined;
  /** Where word is left for who asks for the status; undefined where that is not known. */
  readonly stateDir: string | undefined;
  /** When it began to wait for this, ms since 1970. @default now */
  readonly since?: number;
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
  stateDir,
  clock,
  logger,
  retryMs,
  stop,
  since = clock.now(),
}: StandByOptions): Promise<'stop' | 'look'> {
  const { code, message: detail } = error;
  const looked = Promise.withResolvers<'look'>();
  const look = () => looked.resolve('look');
  const timer = clock.every(LOOK_MS, () => marks(files) !== before && look());
  const retry = retryMs === undefined ? undefined : clock.after(retryMs, look);
  process.on('SIGHUP', look);
  const status = (agent_id: string): DownStatus => ({
    running: false,
    version: packageVersion(),
    agent_id,
    ...conditionsLeft([{ code, detail, since }]),
    ...NEVER_RAN,
  });
  const servers = control ? serversOf(control, status(control.agentId)) : [];
  for (const server of servers) {
    await server.start().catch((problem: unknown) => logger?.warn(`status cannot be asked for: ${messageOf(problem)}`));
  }
  const takeBack =
    stateDir === undefined ? undefined : leaveWord(stateDir, { code, detail, since: new Date(since).toISOString() });
  try {
    return await Promise.race([looked.promise, stop.then(() => 'stop' as const)]);
  } finally {
    takeBack?.();
    timer.cancel();
    retry?.cancel();
    process.off('SIGHUP', look);
    for (const server of servers) await server.stop();
  }
}

function serversOf({ socketPath, monitoringPort = 0 }: WaitingControl, status: DownStatus) {
  const routes = idleRoutes(status, `it waits for ${status.conditions[0]!.name} to be mended`);
  return [
    new ControlServer({ path: socketPath, routes: { ...routes, 'GET /status': () => ({ body: status }) } }),
    ...(monitoringPort > 0 ? [new MonitoringServer({ port: monitoringPort, routes })] : []),
  ];
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
