import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { ControlServer, controlSocketPath } from './ControlServer.ts';
import { type ControlRoutesOptions, controlRoutes } from './controlRoutes.ts';
import { healthRoutes } from './healthRoutes.ts';
import type { Log } from './log.ts';
import { MonitoringServer } from './MonitoringServer.ts';
import { KeepAwake } from './macos/KeepAwake.ts';
import type { Metrics } from './metrics.ts';
import { monitoringPart } from './monitoringPart.ts';
import { openRoute } from './page/openRoute.ts';
import { pageParts } from './page/pageParts.ts';

export interface OperatorOptions extends ControlRoutesOptions {
  readonly stateDir: string;
  /** 0: none. */
  readonly monitoringPort: number;
  /** Whether this Mac may fall asleep meanwhile. */
  readonly keepAwake: boolean;
  readonly random: Random;
  readonly log: Log;
  readonly logFile: string;
  readonly telemetry: Telemetry;
  readonly metrics: Metrics;
}

/**
 * What people and programs of this machine ask the agent through: the control socket always, a loopback port with the
 * status page if set; and what keeps the machine awake for it.
 */
export function operatorParts(given: OperatorOptions) {
  const { stateDir, monitoringPort: port, keepAwake, random, log, logFile, telemetry, ...o } = given;
  const { pid, platform } = process;
  const awake = { pid, isMac: platform === 'darwin', clock: o.clock, random, telemetry };
  const health = healthRoutes(o);
  const routes = controlRoutes({ ...o, telemetry });
  const page = pageParts({ port, control: routes, logFile, watchLog: (listener) => log.watch(listener), ...o });
  const server = new MonitoringServer({ port, routes: { ...health, ...page.routes } });
  const open = openRoute({ port, isServed: () => server.isListening, link: page.link });
  return {
    control: new ControlServer({ path: controlSocketPath(stateDir), routes: { ...routes, ...health, ...open } }),
    keepAwake: keepAwake ? [new KeepAwake(awake)] : [],
    monitoring: port > 0 ? [monitoringPart(server, telemetry)] : [],
  };
}
