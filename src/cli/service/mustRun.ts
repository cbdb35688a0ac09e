import { runProgram } from '../../ops/macos/programs.ts';

/** Runs a program that must succeed. @throws Error with the first lines of what it said */
export async function mustRun(program: string, args: readonly string[], timeoutMs: number): Promise<void> {
  const { exitCode, stderr, timedOut } = await runProgram(program, args, { timeoutMs });
  if (exitCode === 0) return;
  const end = timedOut ? 'took too long' : `ended with ${exitCode ?? 'a signal'}`;
  throw new Error(`${program} ${end}: ${stderr.trim().split('\n').slice(0, 3).join('; ')}`);
}
