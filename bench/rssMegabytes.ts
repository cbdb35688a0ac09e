import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Resident memory of a process, from /proc, so on Linux only. */
export function rssMegabytes(pid: number): number {
  const status = readFileSync(join('/proc', String(pid), 'status'), 'utf8');
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6;
}
