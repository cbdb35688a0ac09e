import { SERVICE_LABEL } from '../../ops/service/servicePaths.ts';
import { EXIT } from '../exitCodes.ts';
import type { Io } from '../Io.ts';
import { launchdService } from './launchdService.ts';
import { refuseUnlessMac } from './refuseUnlessMac.ts';

/** `edge-agent service start`. */
export async function serviceStart(io: Io): Promise<number> {
  const refused = refuseUnlessMac(io);
  if (refused !== undefined) return refused;
  const service = launchdService();
  const { running, pid } = await service.state();
  if (running) {
    io.out(`${SERVICE_LABEL} runs already, with pid ${pid}.\n`);
    return EXIT.ok;
  }
  await service.start();
  io.out(`${SERVICE_LABEL} is started. How it is: edge-agent status\n`);
  return EXIT.ok;
}
