import { SERVICE_LABEL } from '../../ops/service/servicePaths.ts';
import { EXIT } from '../exitCodes.ts';
import type { Io } from '../Io.ts';
import { launchdService } from './launchdService.ts';
import { refuseUnlessMac } from './refuseUnlessMac.ts';
import { SETTLE_MS, settleUpgrade } from './settleUpgrade.ts';

/** `edge-agent service restart`: ends the agent in order and starts it with the property list that is there now; it answers later. */
export async function serviceRestart(io: Io): Promise<number> {
  const refused = refuseUnlessMac(io);
  if (refused !== undefined) return refused;
  await settleUpgrade(io, SETTLE_MS.running);
  await launchdService().restart();
  io.out(`${SERVICE_LABEL} is started again, and answers in some seconds. Whether it does: edge-agent status\n`);
  await settleUpgrade(io, SETTLE_MS.started);
  return EXIT.ok;
}
