import type { Clock } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import { ERRORS } from '../util/errors.ts';
import type { Logger } from '../util/Logger.ts';
import { packageVersion } from '../util/version.ts';
import { ControlServer } from './ControlServer.ts';
import type { CrashLoop } from './CrashLoop.ts';
import { conditionStatus, type DownStatus, NEVER_RAN } from './status.ts';

export interface HeldStart {
  readonly loop: CrashLoop;
  /** Where GET /status is answered meanwhile: without state.db, which may be what the agent fails on. */
  readonly socketPath: string;
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
    conditions: [conditionStatus(condition)],
    ...NEVER_RAN,
  };
  const control = new ControlServer({ path: socketPath, routes: { 'GET /status': () => ({ body: status }) } });
  await control.start().catch((error: unknown) => logger.warn(`status cannot be asked for: ${messageOf(error)}`));
  const over = Promise.withResolvers<undefined>();
  const timer = clock.after(holdMs, () => over.resolve(undefined));
  const signal = await Promise.race([over.promise, stop]);
  timer.cancel();
  await control.stop();
  return signal;
}
