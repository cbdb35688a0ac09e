import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The figures of a case are its own only when it has the machine for itself. */
const FAULT_WORKERS = Number(process.env.FAULTS_WORKERS ?? 3);
const ROOM_WORKERS = Math.max(2, availableParallelism() - 1);
const FAULTS = 'test/faults/**/*.test.ts';

export default defineConfig({
  root: join(import.meta.dirname, '..'),
  test: {
    // For what hangs: five times the longest test, so that a busy machine decides over none.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    globalSetup: join(import.meta.dirname, 'support/compileCache.ts'),
    // Real files, sockets and child processes: processes isolate better than threads.
    pool: 'forks',
    // Tests of one file that run at once wait more than they work.
    maxConcurrency: 8,
    projects: [
      {
        extends: true,
        // Two at once on a machine of two cores, where vitest would take one: half of what they do is waiting.
        test: { name: 'rooms', include: ['test/**/*.test.ts'], exclude: [FAULTS], maxWorkers: ROOM_WORKERS },
      },
      {
        extends: true,
        // A daemon that bears a fault mostly waits: several at once share what one would leave idle.
        test: { name: 'faults', include: [FAULTS], maxWorkers: FAULT_WORKERS, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
