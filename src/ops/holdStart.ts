import type { Clock } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import { ERRORS } from '../util/errors.ts';
import type { Logger } from '../util/Logger.ts';
import { packageVersion } from '../util/version.ts';
import { ControlServer } from './ControlServer.ts';
import type { CrashLoop } from './CrashLoop.ts';
import { idleRoutes } from './healthRoutes.ts';
import { MonitoringServer } from './MonitoringServer.ts';
import { conditionsLeft, type DownStatus, NEVER_RAN } from './status.ts';

export interface HeldStart {
  readonly loop: CrashLoop;
  /** Where GET /status and what monitors ask is answered meanwhile: without state.db, which may be what the agent fails on. */
  readonly socketPath: string;
  /** Of 127.0.0.1; 0: none. */
  readonly monitoringPort: number;
  readonly agentId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends it at once. */
  readonly stop: Promise<string>;
}

/** Sits out what a crash loop holds the start back for. Resolves with the signal that came meanwhile, if one did. */
export async function holdStart({
  loop,
  socketPath,
  monitoringPort,
  agentId,
  clock,
  logger,
  stop,
}: HeldStart): Promise<string | undefined> {
  const { holdMs, condition } = loop;
  if (!condition || holdMs === 0) return undefined;
  logger.error(`${condition.code}: ${condition.detail}. ${ERRORS[condition.code].fix}`);
  const status: DownStatus = {
    running: false,
    version: packageVersion(),
    agent_id: agentId,
    ...conditionsLeft([condition]),
    ...NEVER_RAN,
  };
  const routes = idleRoutes(status, `its start is held back: ${condition.code}`);
  const servers = [
    new ControlServer({ path: socketPath, routes: { ...routes, 'GET /status': () => ({ body: status }) } }),
    ...(monitoringPort > 0 ? [new MonitoringServer({ port: monitoringPort, routes })] : []),
  ];
  for (const server of servers) {
    await server.start().catch((error: unknown) => logger.warn(`status cannot be asked for: ${messageOf(error)}`));
  }
  const over = Promise.withResolvers<undefined>();
  const timer = clock.after(holdMs, () => over.resolve(undefined));
  const signal = await Promise.race([over.promise, stop]);
  timer.cancel();
  for (const server of servers) await server.stop();
  return signal;
}
