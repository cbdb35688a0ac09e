import { loadConfig } from '../config/loadConfig.ts';
import { planReload, type ReloadPlan } from '../config/reload.ts';
import type { Config } from '../config/schema.ts';
import { maskIn } from '../ops/mask.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { Logger } from '../util/Logger.ts';

export interface Reload {
  readonly file: string;
  readonly running: Config;
  readonly logger: Logger;
  apply(plan: ReloadPlan): void;
}

/** Reads the file again, has what can be taken over applied, and says what came of it. One with problems changes nothing. */
export function reloadConfig({ file, running, logger, apply }: Reload): void {
  let plan: ReloadPlan;
  try {
    plan = planReload(running, loadConfig(file));
  } catch (error) {
    const problems = messageOf(error).split('\n').map(maskIn).join('; ');
    logger.error(`${codeOf(error, 'EDGE_INTERNAL')}: SIGHUP: the configuration stays as it was: ${problems}`);
    return;
  }
  apply(plan);
  const { applied, needsRestart } = plan;
  if (applied.length > 0) logger.info(`SIGHUP: in force from now: ${applied.join(', ')}`);
  if (needsRestart.length > 0) logger.warn(`SIGHUP: needs a restart: ${needsRestart.join(', ')}`);
  if (applied.length + needsRestart.length === 0) logger.info('SIGHUP: the configuration is the one in force');
}
