import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** What vitest says of one test, of a file that it could not read, or of one that it begins. */
export interface TestResult {
  readonly file: string;
  readonly title: string;
  readonly status: 'begun' | 'passed' | 'failed' | 'skipped';
  readonly tookMs: number;
  /** Why it failed. */
  readonly message: string | undefined;
}

/**
 * Appends that a file is begun, and what became of its tests once it is over, a line of JSON each: a run that is broken off
 * has told so far.
 */
export class ResultLog implements Reporter {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  onTestModuleStart({ moduleId: file }: TestModule): void {
    this.#append([{ file, title: file, status: 'begun', tookMs: 0, message: undefined }]);
  }

  onTestModuleEnd(module: TestModule): void {
    this.#append(resultsOf(module));
  }

  #append(results: readonly TestResult[]): void {
    appendFileSync(this.#path, results.map((result) => `${JSON.stringify(result)}\n`).join(''));
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
