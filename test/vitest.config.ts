import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: join(import.meta.dirname, '..'),
  test: {
    include: ['test/**/*.test.ts'],
    // For what hangs: five times the longest test, so that a busy machine decides over none.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    // Real files, sockets and child processes: processes isolate better than threads.
    pool: 'forks',
    // Tests of one file that run at once wait more than they work.
    maxConcurrency: 8,
  },
});
