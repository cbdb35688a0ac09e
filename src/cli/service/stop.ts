import { SERVICE_LABEL } from '../../ops/service/servicePaths.ts';
import { EXIT } from '../exitCodes.ts';
import type { Io } from '../Io.ts';
import { launchdService } from './launchdService.ts';
import { refuseUnlessMac } from './refuseUnlessMac.ts';
import { SETTLE_MS, settleUpgrade } from './settleUpgrade.ts';

/** `edge-agent service stop`: returns when the agent has ended. */
export async function serviceStop(io: Io): Promise<number> {
  const refused = refuseUnlessMac(io);
  if (refused !== undefined) return refused;
  const service = launchdService();
  await settleUpgrade(io, SETTLE_MS.running); // once it is stopped nothing tells that it did run
  const wasLoaded = await service.stop();
  if (!wasLoaded) {
    io.out(`${SERVICE_LABEL} does not run.\n`);
    return EXIT.ok;
  }
  io.out(
    `${SERVICE_LABEL} is stopped. Messages wait in chat.db. It comes back at the next login, or now with: edge-agent service start\n`,
  );
  return EXIT.ok;
}
