import { copyFileSync, existsSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { UNGUARDED } from './harness/unguarded.ts';

const ROWS = 20;
const LAST = 60;
/** A write of a checkpoint with others before and after it. */
const AMID = 3;
/** Spread over the transactions of a start and of the rows; the long form takes every write. */
const SOME = [1, 2, 11, 24, 43, 60];
const GRID = settings.isLong ? Array.from({ length: LAST }, (_, n) => n + 1) : SOME;
const rig = { config: { relay: UNGUARDED } };
/** More writes than the work of the whole grid takes, so that a defect does not go on for ever. */
const MOST_WRITES = 3000;

faultTest(
  `C3 has a whole state.db and keeps every promise after a kill at ${GRID.length} of its first ${LAST} writes`,
  {
    rig,
    needs: ['strace'],
    timeoutMs: 60_000 + GRID.length * 10_000,
    recoveryMs: 15_000 + GRID.length * 1000,
    async fault(run) {
      run.runs = GRID.length;
      for (const nth of GRID) {
        await run.crash();
        for (let row = 0; row < ROWS; row++) run.write(row % 2 === 0 ? ANN : BEN);
        doom(run, 'state.db-wal', nth);
        run.rig.agent.start();
        expect([nth, await isKilled(run)]).toEqual([nth, true]);
      }
      await startAgain(run);
    },
  },
);

if (settings.isLong) {
  faultTest('C3 has a whole state.db and keeps every promise after a kill at each write of all its work', {
    rig,
    needs: ['strace'],
    reply: (text) => ({ reflex: `at once ${text}`, bubbles: [`first of ${text}`, `second of ${text}`] }),
    timeoutMs: 3_600_000,
    recoveryMs: 60_000,
    async fault(run) {
      let nth = 0;
      for (let isOver = false; !isOver; ) {
        nth++;
        expect(nth).toBeLessThan(MOST_WRITES);
        await run.crash();
        doom(run, 'state.db-wal', nth);
        run.rig.agent.start();
        await run.both(); // has every kind of write; more of them would only take longer
        isOver = !(await isKilled(run));
        await startAgain(run);
        await run.quiet(60_000);
      }
      run.runs = nth - 1;
      run.note = `${nth - 1} writes`;
    },
  });
}

faultTest('C3 has a whole state.db after a kill in the midst of a checkpoint, which writes to the file itself', {
  rig,
  needs: ['strace'],
  timeoutMs: settings.isLong ? 3_600_000 : 120_000,
  async fault(run) {
    let nth = settings.isLong ? 1 : AMID;
    const last = settings.isLong ? MOST_WRITES : AMID;
    for (; nth <= last && (await isKilledAtCheckpoint(run, nth)); nth++) expect(quickCheck(run)).toBe('ok');
    run.runs = settings.isLong ? nth - 1 : 1;
    if (settings.isLong) run.note = `${run.runs} writes of a checkpoint`;
    expect(nth).toBeGreaterThan(AMID);
    await startAgain(run);
  },
});

/**
 * Has the agent do some work and stop, whose checkpoint it is to be killed in, or one before: a log that grew long is worked
 * off at any time. Resolves with false when it stopped in order.
 */
async function isKilledAtCheckpoint(run: FaultRun, nth: number): Promise<boolean> {
  const { agent } = run.rig;
  await run.crash();
  doom(run, 'state.db', nth);
  agent.start();
  await run.both();
  await waitFor('the kill or the end of the work', () => !agent.isRunning || run.isQuiet, 60_000);
  return (await agent.kill('SIGTERM')).signal === 'SIGKILL';
}

/** The agent, when it is started, is to be killed as it begins its nth write to a file of its state. */
function doom({ rig }: FaultRun, file: 'state.db' | 'state.db-wal', nth: number): void {
  const what = ['-P', rig.path(`state/${file}`), '-e', 'trace=pwrite64'];
  const fault = ['-e', `inject=pwrite64:signal=SIGKILL:when=${nth}`];
  rig.agent.wrapper = ['strace', '-o', rig.path('strace'), ...what, ...fault];
}

async function startAgain(run: FaultRun): Promise<void> {
  await run.crash();
  run.rig.agent.wrapper = undefined;
  await run.restart();
}

/** Resolves once it is killed, with a state.db that is whole, or with false when it did all its work before. */
async function isKilled(run: FaultRun): Promise<boolean> {
  const { agent } = run.rig;
  await waitFor('the kill or the end of the work', () => !agent.isRunning || run.isQuiet, 60_000);
  if (agent.isRunning) return false;
  expect(quickCheck(run)).toBe('ok');
  return true;
}

/** Looks at a copy: the files themselves are for the next start to find as they are. */
function quickCheck({ rig }: FaultRun): unknown {
  const copy = rig.path('copy.db');
  for (const end of ['', '-wal', '-shm']) rmSync(`${copy}${end}`, { force: true });
  for (const end of ['', '-wal']) {
    const from = rig.path(`state/state.db${end}`);
    if (existsSync(from)) copyFileSync(from, `${copy}${end}`);
  }
  const db = new Database(copy);
  try {
    return db.pragma('quick_check', { simple: true });
  } finally {
    db.close();
  }
}
