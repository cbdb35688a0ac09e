import { spawnSync } from 'node:child_process';

/** CPU time of all threads so far, ms; the scheduler counts it in ns. From /proc, so on Linux only. */
export function cpuMs(pid: number): number {
  const tasks = spawnSync('sh', ['-c', `cat /proc/${pid}/task/*/schedstat`], { encoding: 'utf8' }).stdout;
  const ns = tasks.split('\n').reduce((sum, line) => sum + Number(line.split(' ')[0] || 0), 0);
  return ns / 1e6;
}
