import type { Telemetry } from '../util/Telemetry.ts';
import { ControlServer, controlSocketPath } from './ControlServer.ts';
import { type ControlRoutesOptions, controlRoutes } from './controlRoutes.ts';
import type { Log } from './log.ts';
import { MonitoringServer } from './MonitoringServer.ts';
import { monitoringPart } from './monitoringPart.ts';
import { openRoute } from './page/openRoute.ts';
import { pageParts } from './page/pageParts.ts';

export interface OperatorOptions extends ControlRoutesOptions {
  readonly stateDir: string;
  /** 0: none. */
  readonly monitoringPort: number;
  readonly log: Log;
  readonly logFile: string;
  readonly telemetry: Telemetry;
}

/** What people and programs of this machine ask the agent through: the control socket always, a loopback port if set. */
export function operatorParts({ stateDir, monitoringPort: port, log, logFile, telemetry, ...o }: OperatorOptions) {
  const routes = controlRoutes(o);
  const page = pageParts({ port, control: routes, logFile, watchLog: (listener) => log.watch(listener), ...o });
  const server = new MonitoringServer({ port, ...o, routes: page.routes });
  const open = openRoute({ port, isServed: () => server.isListening, link: page.link });
  return {
    control: new ControlServer({ path: controlSocketPath(stateDir), routes: { ...routes, ...open } }),
    monitoring: port > 0 ? [monitoringPart(server, telemetry)] : [],
  };
}
