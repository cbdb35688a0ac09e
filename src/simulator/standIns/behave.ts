import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a stand-in fails: it never ends (until it is killed; 10 min at most), or ends with `exit` and says `stderr`. */
export type StandInFailure = { readonly hang: true } | { readonly exit: number; readonly stderr?: string };

/**
 * Has the next calls of a program (`pmset`), or of one of its subcommands (`launchctl bootstrap`), fail instead of doing
 * anything. `times`: how many calls; all of them, if it is left out.
 */
export function failStandIn(stateDir: string, call: string, failure: StandInFailure, times?: number): void {
  const folder = join(stateDir, 'behave');
  mkdirSync(folder, { recursive: true });
  const [what, words] = 'hang' in failure ? ['hang', ''] : [failure.exit, failure.stderr ?? ''];
  writeFileSync(join(folder, call), `${times ?? 'always'}\n${what}\n${words}`);
}

/** Has it behave well again. */
export function mendStandIn(stateDir: string, call: string): void {
  rmSync(join(stateDir, 'behave', call), { force: true });
}
