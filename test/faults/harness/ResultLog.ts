import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** What vitest says of one test, or of a file that it could not read. */
export interface TestResult {
  readonly file: string;
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly tookMs: number;
  /** Why it failed. */
  readonly message: string | undefined;
}

/** Appends what became of the tests of each file once it is over, a line of JSON each: a run that is broken off has told so far. */
export class ResultLog implements Reporter {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  onTestModuleEnd(module: TestModule): void {
    const lines = resultsOf(module).map((result) => `${JSON.stringify(result)}\n`);
    appendFileSync(this.#path, lines.join(''));
  }
}

function resultsOf(module: TestModule): TestResult[] {
  const file = module.moduleId;
  const unread = module.errors().map(({ message }): TestResult => {
    return { file, title: file, status: 'failed', tookMs: 0, message };
  });
  const tests = [...module.children.allTests()].map((test): TestResult => {
    const { state, errors } = test.result();
    return {
      file,
      title: test.name,
      status: state === 'passed' || state === 'failed' ? state : 'skipped',
      tookMs: test.diagnostic()?.duration ?? 0,
      message: errors?.[0]?.message,
    };
  });
  return [...unread, ...tests];
}
