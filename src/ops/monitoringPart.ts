import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { MonitoringServer } from './MonitoringServer.ts';

/** The server as a part of the agent: nobody can look at a port that is taken, but messages go on. */
export function monitoringPart(monitoring: MonitoringServer, telemetry: Telemetry) {
  return {
    start: () =>
      monitoring.start().catch((error: unknown) => {
        telemetry.conditionRaised(codeOf(error, 'EDGE_MONITORING_PORT'), messageOf(error));
      }),
    stop: () => monitoring.stop(),
  };
}
