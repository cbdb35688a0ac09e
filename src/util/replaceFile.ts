import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Writes a whole file so that a reader, and a power loss, finds the old text or the new one and nothing between. Where
 * `path` is a link, what it points to is replaced. An existing file keeps its mode; `mode` is for a new one.
 */
export function replaceFile(path: string, text: string | Buffer, mode = 0o600): void {
  const target = statSync(path, { throwIfNoEntry: false }) ? realpathSync(path) : path;
  const kept = statSync(target, { throwIfNoEntry: false })?.mode;
  const next = join(dirname(target), `.${basename(target)}.${process.pid}.next`);
  try {
    rmSync(next, { force: true });
    // wx: nobody else's file, and no link somebody put there, is written to.
    const file = openSync(next, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      fchmodSync(file, kept === undefined ? mode : kept & 0o777);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, target);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
  // The name as well as the bytes.
  const folder = openSync(dirname(target), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
