import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const FAULTS = 'test/faults/**/*.test.ts';

export default defineConfig({
  root: join(import.meta.dirname, '..'),
  test: {
    // For what hangs: five times the longest test, so that a busy machine decides over none.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    // Real files, sockets and child processes: processes isolate better than threads.
    pool: 'forks',
    // Tests of one file that run at once wait more than they work.
    maxConcurrency: 8,
    projects: [
      { extends: true, test: { name: 'rooms', include: ['test/**/*.test.ts'], exclude: [FAULTS] } },
      {
        extends: true,
        // A daemon that bears a fault mostly waits: three at once share what one would leave idle.
        test: { name: 'faults', include: [FAULTS], maxWorkers: 3, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
