import { join } from 'node:path';
import { InstanceLock } from '../../ops/InstanceLock.ts';
import { RELEASES_LOCK } from '../../ops/service/Releases.ts';
import { EdgeError } from '../../util/EdgeError.ts';
import { EXIT } from '../exitCodes.ts';
import type { Io } from '../Io.ts';

/**
 * Does `work` unless another command is at work on the releases in `dir`: of two, one would put a state back, or take a
 * release away, under the agent that the other has just started. Exit code 75: nothing was done.
 * @throws EdgeError EDGE_STATE_DIR
 */
export async function oneAtATime(dir: string, io: Io, work: () => Promise<number>): Promise<number> {
  const path = join(dir, RELEASES_LOCK);
  let lock: InstanceLock;
  try {
    lock = InstanceLock.acquire(path);
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code !== 'EDGE_ALREADY_RUNNING') throw error;
    return busy(path, io);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Undefined where nobody is at work on them; makes no file. */
export function refuseWhileBusy(dir: string, io: Io): number | undefined {
  const path = join(dir, RELEASES_LOCK);
  return InstanceLock.isHeld(path) ? busy(path, io) : undefined;
}

function busy(path: string, io: Io): number {
  const pid = InstanceLock.holder(path);
  const who = pid === undefined ? '' : ` (pid ${pid})`;
  io.err(
    `edge-agent: another install or upgrade is at work${who}, which this would disturb; run this again when it has ended\n`,
  );
  return EXIT.tempFail;
}
