import type { RunProgram } from '../../ops/macos/programs.ts';

const SW_VERS_MS = 10_000;
/** The first whose chat.db and Messages this program was written for. */
const MINIMUM = 12;

/** Why this macOS will not do; undefined where it will. @throws EdgeError EDGE_PROGRAM_MISSING */
export async function macosTooOld(run: RunProgram): Promise<string | undefined> {
  const { stdout, exitCode } = await run('sw_vers', ['-productVersion'], { timeoutMs: SW_VERS_MS });
  const version = stdout.trim();
  const major = Number.parseInt(version, 10);
  if (exitCode !== 0 || Number.isNaN(major)) return 'sw_vers does not tell the version of macOS; nothing was changed';
  return major >= MINIMUM
    ? undefined
    : `macOS ${version} is too old; ${MINIMUM} or newer is needed; nothing was changed`;
}
