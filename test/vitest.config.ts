import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { ResultLog } from './faults/harness/ResultLog.ts';
import { settings } from './faults/harness/settings.ts';
import { LongestFirst } from './support/longestFirst.ts';

/**
 * Three at once on a machine of two cores, where vitest would take one: a good third of what the tests do is waiting. One
 * at once where figures are taken: those of a case are its own only when it has the machine for itself.
 */
const WORKERS = Number(process.env.FAULTS_WORKERS ?? Math.max(3, availableParallelism() - 1));
const FAULTS = 'test/faults/**/*.test.ts';

export default defineConfig({
  root: join(import.meta.dirname, '..'),
  test: {
    // For what hangs: five times the longest test, so that a busy machine decides over none.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    restoreMocks: true,
    ...(settings.resultsPath && { reporters: ['default', new ResultLog(settings.resultsPath)] }),
    globalSetup: join(import.meta.dirname, 'support/compileCache.ts'),
    // Real files, sockets and child processes: processes isolate better than threads.
    pool: 'forks',
    maxWorkers: WORKERS,
    sequence: { sequencer: LongestFirst },
    // Tests of one file that run at once wait more than they work.
    maxConcurrency: 8,
    projects: [
      {
        extends: true,
        test: { name: 'rooms', include: ['test/**/*.test.ts'], exclude: [FAULTS] },
      },
      {
        extends: true,
        test: { name: 'faults', include: [FAULTS] },
      },
    ],
  },
});
