import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Read from the end of the file, bytes: enough for the lines asked for unless they are very long. */
const TAIL_BYTES = 64 * 1024;

/** The last `count` lines of a file; none when it cannot be read. */
export function logTail(path: string, count: number): string[] {
  let descriptor: number;
  try {
    // A FIFO without a writer would hold up the whole program.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return []; // No log is no reason for status to fail; it says that there is none.
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return [];
    const { size } = stat;
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const read = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes.toString('utf8', 0, read).split('\n').filter(Boolean);
    return (size > TAIL_BYTES ? lines.slice(1) : lines).slice(-count);
  } finally {
    closeSync(descriptor);
  }
}
