import { type Clock, sleep } from '../../util/Clock.ts';
import { EdgeError } from '../../util/EdgeError.ts';
import { ERRORS } from '../../util/errors.ts';
import type { ProgramResult, RunProgram } from '../macos/programs.ts';
import { type Finding, fail, late, skip, warn } from './Check.ts';

/** How long a program of macOS may take, ms; those asked here take some 20. Less than a check may. */
const PROGRAM_MS = 1_500;
/** From the limit to when nobody waits any more, ms: a grandchild of what was killed may hold its output open. */
const GRACE_MS = 100;

/** What checks ask programs of macOS through. */
export interface Programs {
  readonly run: RunProgram;
  readonly clock: Clock;
  /** Elsewhere the programs of macOS are missing, and nothing is wrong with that. */
  readonly isMac: boolean;
}

/** What a program said, or the finding that it said nothing. */
export type Answer = { readonly said: ProgramResult } | { readonly said: undefined; readonly finding: Finding };

/** Runs a program, for a limited time. */
export async function ask(
  { run, clock, isMac }: Programs,
  program: string,
  args: readonly string[],
  input?: string,
): Promise<Answer> {
  const over = new AbortController();
  try {
    const running = run(program, args, { timeoutMs: PROGRAM_MS, ...(input !== undefined && { input }) });
    const said = await Promise.race([running, sleep(clock, PROGRAM_MS + GRACE_MS, over.signal)]);
    return said && !said.timedOut ? { said } : { said: undefined, finding: silent([program, ...args].join(' ')) };
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code !== 'EDGE_PROGRAM_MISSING') throw error;
    const finding = isMac
      ? fail(`${error.code}: ${error.message}`, ERRORS[error.code].fix)
      : skip(`there is no ${program} here: this is no Mac`);
    return { said: undefined, finding };
  } finally {
    over.abort();
  }
}

function silent(command: string): Finding {
  const text = `not known: ${command} did not end within ${PROGRAM_MS / 1000} s, and was killed`;
  return late(text, `Run it by hand and see what it waits for: ${command}`);
}

/** The finding that a program did not say what it says on every macOS known. */
export function unclear(command: string, { exitCode, stdout, stderr }: ProgramResult): Finding {
  const words = (stderr.trim() || stdout.trim()).split('\n')[0]!.slice(0, 200);
  const end = exitCode === null ? 'was ended by a signal' : `ended with ${exitCode}`;
  return warn(`not known: ${command} ${end}${words === '' ? '' : ` and said: ${words}`}`, `Run it by hand: ${command}`);
}
