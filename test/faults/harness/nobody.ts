import { chownSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FaultRun } from './FaultRun.ts';

/** Nobody's: whom a file's mode can keep out, as it cannot root. */
const UID = 65534;
/** In front of a program, as the wrapper of the agent is: has it run as that user. */
export const AS_NOBODY = ['setpriv', '--reuid', String(UID), '--regid', String(UID), '--clear-groups'];

/** All that the run has made up to now becomes that user's. */
export function giveAwayAll({ rig }: FaultRun): void {
  giveAway(dirname(rig.options.dir));
}

function giveAway(path: string): void {
  chownSync(path, UID, UID);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) giveAway(inside);
    else chownSync(inside, UID, UID);
  }
}
