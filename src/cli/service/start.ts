import { SERVICE_LABEL } from '../../ops/service/servicePaths.ts';
import { EXIT } from '../exitCodes.ts';
import type { Io } from '../Io.ts';
import { launchdService } from './launchdService.ts';
import { refuseUnlessMac } from './refuseUnlessMac.ts';
import { SETTLE_MS, settleUpgrade } from './settleUpgrade.ts';

/** `edge-agent service start`: returns when launchd has started it; it answers later. */
export async function serviceStart(io: Io): Promise<number> {
  const refused = refuseUnlessMac(io);
  if (refused !== undefined) return refused;
  const service = launchdService();
  const { running, pid } = await service.state();
  if (running) {
    io.out(`${SERVICE_LABEL} runs already, with pid ${pid}.\n`);
    await settleUpgrade(io, SETTLE_MS.running);
    return EXIT.ok;
  }
  await service.start();
  io.out(`${SERVICE_LABEL} is started, and answers in some seconds. Whether it does: edge-agent status\n`);
  await settleUpgrade(io, SETTLE_MS.started);
  return EXIT.ok;
}
