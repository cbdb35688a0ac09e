import { expect, it, vi } from 'vitest';
import { runProgram } from '../../../src/ops/macos/programs.ts';

it('hands the secret of the environment to no program of macOS', async () => {
  vi.stubEnv('EDGE_SECRET', 'canary');
  vi.stubEnv('OTHER', 'kept');
  const { stdout } = await runProgram('sh', ['-c', 'echo "$' + '{EDGE_SECRET-none} $OTHER"'], { timeoutMs: 5_000 });
  vi.unstubAllEnvs();
  expect(stdout).toBe('none kept\n');
});
