export type Verdict = 'pass' | 'warn' | 'fail';

/** What one check found. */
export interface Finding {
  readonly status: Verdict;
  /** What is so, in one sentence; begins with a code of util/errors.ts where there is one. */
  readonly text: string;
  /** What to do; undefined where nothing is. */
  readonly fix: string | undefined;
}

/** One thing an agent needs of its surroundings. Looks only, changes nothing, and does not need the agent. */
export interface Check {
  readonly name: string;
  run(): Finding | Promise<Finding>;
}
