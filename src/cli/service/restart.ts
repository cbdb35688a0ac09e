import { SERVICE_LABEL } from '../../ops/service/servicePaths.ts';
import { EXIT } from '../exitCodes.ts';
import type { Io } from '../Io.ts';
import { launchdService } from './launchdService.ts';
import { refuseUnlessMac } from './refuseUnlessMac.ts';

/** `edge-agent service restart`: ends the agent in order and starts it with the property list that is there now. */
export async function serviceRestart(io: Io): Promise<number> {
  const refused = refuseUnlessMac(io);
  if (refused !== undefined) return refused;
  await launchdService().restart();
  io.out(`${SERVICE_LABEL} is started again. How it is: edge-agent status\n`);
  return EXIT.ok;
}
