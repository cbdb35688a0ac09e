import type { Telemetry } from '../util/Telemetry.ts';
import { ControlServer, controlSocketPath } from './ControlServer.ts';
import { type ControlRoutesOptions, controlRoutes } from './controlRoutes.ts';
import { healthRoutes } from './healthRoutes.ts';
import { MonitoringServer } from './MonitoringServer.ts';
import type { Metrics } from './metrics.ts';
import { monitoringPart } from './monitoringPart.ts';

export interface OperatorOptions extends ControlRoutesOptions {
  readonly stateDir: string;
  /** 0: none. */
  readonly monitoringPort: number;
  readonly telemetry: Telemetry;
  readonly metrics: Metrics;
}

/** What people and programs of this machine ask the agent through: the control socket always, a loopback port if set. */
export function operatorParts({ stateDir, monitoringPort: port, telemetry, ...o }: OperatorOptions) {
  const routes = healthRoutes(o);
  return {
    control: new ControlServer({
      path: controlSocketPath(stateDir),
      routes: { ...controlRoutes({ ...o, telemetry }), ...routes },
    }),
    monitoring: port > 0 ? [monitoringPart(new MonitoringServer({ port, routes }), telemetry)] : [],
  };
}
