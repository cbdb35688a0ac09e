export type Verdict = 'pass' | 'warn' | 'fail';

/** What one check found. */
export interface Finding {
  /** `skip`: there was nothing to look at here; it counts neither as good nor as bad. */
  readonly status: Verdict | 'skip';
  /** What is so, in one sentence; begins with a code of util/errors.ts where there is one. */
  readonly text: string;
  /** What to do: a command, or the exact place in System Settings. Undefined where nothing is. */
  readonly fix: string | undefined;
  /** It took too long to find out, on a busy machine or for what hangs: nothing is known to be wrong. */
  readonly unknown?: true;
}

/** One thing an agent needs of its surroundings. Looks only, changes nothing, and does not need the agent. */
export interface Check {
  /** What `--only` takes. */
  readonly name: string;
  run(): Finding | Promise<Finding>;
}

export const pass = (text: string): Finding => ({ status: 'pass', text, fix: undefined });
export const warn = (text: string, fix: string): Finding => ({ status: 'warn', text, fix });
/** What could not be found out in time. */
export const late = (text: string, fix: string): Finding => ({ ...warn(text, fix), unknown: true });
export const fail = (text: string, fix: string): Finding => ({ status: 'fail', text, fix });
/** Not looked at, and why: it does not apply here, or another check says what stands in the way. */
export const skip = (text: string): Finding => ({ status: 'skip', text, fix: undefined });
