import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { shellWord } from '../../util/printable.ts';
import { type Check, fail, pass, warn } from './Check.ts';

/** Below it the agent has room for weeks at most; Messages and macOS itself get into trouble too, bytes. */
const LITTLE = 1_000_000_000;
/** Below it the next large attachment, or the swap of macOS, stops everything, bytes. */
const NONE = 100_000_000;

/** Whether the volumes that the agent writes to have room. `freeBytes` of a folder that is there. */
export function diskSpace(o: { folders: readonly string[]; freeBytes: (folder: string) => number }): Check {
  return {
    name: 'disk',
    run() {
      const volumes = new Map(o.folders.map(existing).map((folder) => [statSync(folder).dev, folder]));
      const rooms = [...volumes.values()].map((folder) => ({ folder, free: o.freeBytes(folder) }));
      const [least] = rooms.sort((a, b) => a.free - b.free);
      if (!least) throw new Error('no folder to look at');
      const text = `${shown(least.free)} free on the volume of ${least.folder}`;
      if (least.free >= LITTLE) return pass(text);
      const fix = `See what takes the room: du -xhd 1 ${shellWord(least.folder)}, or System Settings → General → Storage; then empty the Trash.`;
      if (least.free >= NONE) return warn(`${text}: little; full, nothing is taken in any more`, fix);
      return fail(`${text}: the agent stops taking in messages any moment, and Messages with it`, fix);
    },
  };
}

/** The folder, or the first above it that is there: the others are made there. */
function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder));
}

function shown(bytes: number): string {
  return bytes >= LITTLE ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.floor(bytes / 1e6)} MB`;
}
