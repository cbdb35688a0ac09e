import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { ControlServer, controlSocketPath } from './ControlServer.ts';
import { type ControlRoutesOptions, controlRoutes } from './controlRoutes.ts';
import { healthRoutes } from './healthRoutes.ts';
import { MonitoringServer } from './MonitoringServer.ts';
import { KeepAwake } from './macos/KeepAwake.ts';
import type { Metrics } from './metrics.ts';
import { monitoringPart } from './monitoringPart.ts';

export interface OperatorOptions extends ControlRoutesOptions {
  readonly stateDir: string;
  /** 0: none. */
  readonly monitoringPort: number;
  /** Whether this Mac may fall asleep meanwhile. */
  readonly keepAwake: boolean;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly metrics: Metrics;
}

/**
 * What people and programs of this machine ask the agent through: the control socket always, a loopback port if set;
 * and what keeps the machine awake for it.
 */
export function operatorParts({ stateDir, monitoringPort: port, keepAwake, random, telemetry, ...o }: OperatorOptions) {
  const { pid, platform } = process;
  const awake = { pid, isMac: platform === 'darwin', clock: o.clock, random, telemetry };
  const routes = healthRoutes(o);
  return {
    control: new ControlServer({ path: controlSocketPath(stateDir), routes: { ...controlRoutes(o), ...routes } }),
    keepAwake: keepAwake ? [new KeepAwake(awake)] : [],
    monitoring: port > 0 ? [monitoringPart(new MonitoringServer({ port, routes }), telemetry)] : [],
  };
}
