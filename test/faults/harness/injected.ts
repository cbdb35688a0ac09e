import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/**
 * Lets system calls of a running process fail, on the files given, until the function returned is called; resolves once
 * it holds. `calls`: as strace has them, `pwrite64:error=ENOSPC`.
 */
export async function inject(pid: number, calls: string, paths: readonly string[]): Promise<() => Promise<void>> {
  const only = paths.flatMap((path) => ['-P', path]);
  const strace = spawn('strace', ['-f', '-p', String(pid), ...only, '-e', `inject=${calls}`, '-o', '/dev/null'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const gone = once(strace, 'exit');
  onTestFinished(() => void strace.kill('SIGKILL'));
  await once(strace.stderr!, 'data'); // "Process … attached"
  return async () => {
    strace.kill('SIGTERM');
    await gone;
  };
}
