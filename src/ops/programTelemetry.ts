import { ERRORS } from '../util/errors.ts';
import { isNetworkCode } from '../util/networkCodes.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { LinkConditions } from './LinkConditions.ts';
import { maskIn } from './mask.ts';
import type { TelemetryParts } from './telemetry.ts';

type ProgramEvents = 'chatdbOpened' | 'conditionRaised' | 'conditionCleared' | 'woke' | 'notKeptAwake' | 'failure';

/** chat.db as a whole, conditions that stand, and what has no event of its own. */
export function programTelemetry(
  { logger, metrics, health }: TelemetryParts,
  conditions: LinkConditions,
): Pick<Telemetry, ProgramEvents> {
  return {
    chatdbOpened({ path, epoch, rowid, isNew }) {
      const from = isNew ? 'starting at' : 'going on after';
      logger.info(`chat.db opened: ${path}, epoch ${epoch}, ${from} ROWID ${rowid}`);
    },
    conditionRaised(code, detail) {
      // Every part that goes the same way tells of it in words of its own; those of the first stand.
      if (isNetworkCode(code) && health.isClaimed(code, 'agent')) return;
      if (!health.raise(code, detail)) return;
      metrics.error(code);
      logger.error(`${code}: ${maskIn(detail)}. ${ERRORS[code].means} ${ERRORS[code].fix}`);
    },
    conditionCleared(code) {
      conditions.cleared(code);
    },
    woke(gapMs) {
      metrics.count('wakes');
      logger.info(
        `Awake after ${Math.round(gapMs / 1000)} s: the WebSocket is opened anew, and what came meanwhile is looked for`,
      );
    },
    notKeptAwake(detail) {
      logger.info(`power.keep_awake has no effect on this machine: ${maskIn(detail)}`);
    },
    failure(code, detail) {
      metrics.count('failures');
      metrics.error(code);
      logger.error(`${code}: ${maskIn(detail)}`);
    },
  };
}
