import type { Telemetry } from '../util/Telemetry.ts';
import { ControlServer, controlSocketPath } from './ControlServer.ts';
import { type ControlRoutesOptions, controlRoutes } from './controlRoutes.ts';
import { MonitoringServer } from './MonitoringServer.ts';
import { monitoringPart } from './monitoringPart.ts';

export interface OperatorOptions extends ControlRoutesOptions {
  readonly stateDir: string;
  /** 0: none. */
  readonly monitoringPort: number;
  readonly telemetry: Telemetry;
}

/** What people and programs of this machine ask the agent through: the control socket always, a loopback port if set. */
export function operatorParts({ stateDir, monitoringPort: port, telemetry, ...o }: OperatorOptions) {
  return {
    control: new ControlServer({ path: controlSocketPath(stateDir), routes: controlRoutes({ ...o, telemetry }) }),
    monitoring: port > 0 ? [monitoringPart(new MonitoringServer({ port, ...o }), telemetry)] : [],
  };
}
