import { EdgeError } from '../util/EdgeError.ts';

/** One thing that is wrong with the file. */
export interface ConfigProblem {
  readonly file: string;
  /** From 1; both undefined where the file as a whole is meant. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** `key: value was …, expected …` */
  readonly text: string;
}

/** The configuration cannot be used; carries everything that is wrong with it, in the order of the file. */
export class ConfigError extends EdgeError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super('EDGE_CONFIG_INVALID', problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}

/** `file:line:column  key: value was …, expected …` */
function formatProblem({ file, line, column, text }: ConfigProblem): string {
  return `${[file, line, column].filter((part) => part !== undefined).join(':')}  ${text}`;
}
