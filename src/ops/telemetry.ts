import type { Clock } from '../util/Clock.ts';
import type { Logger } from '../util/Logger.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { commandTelemetry } from './commandTelemetry.ts';
import type { Health } from './Health.ts';
import { LinkConditions } from './LinkConditions.ts';
import { linkTelemetry } from './linkTelemetry.ts';
import { messageTelemetry } from './messageTelemetry.ts';
import type { Metrics } from './metrics.ts';
import { programTelemetry } from './programTelemetry.ts';
import { sendingTelemetry } from './sendingTelemetry.ts';

export interface TelemetryParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly clock: Clock;
}

/**
 * Telemetry as log lines and counters: one method an event, so that the two cannot drift. At INFO and above a handle
 * shows its last four characters and a text not at all; both are written whole at DEBUG.
 */
export function createTelemetry(parts: TelemetryParts): Telemetry {
  const conditions = new LinkConditions(parts);
  return {
    ...messageTelemetry(parts),
    ...sendingTelemetry(parts),
    ...linkTelemetry(parts, conditions),
    ...commandTelemetry(parts),
    ...programTelemetry(parts, conditions),
  };
}
