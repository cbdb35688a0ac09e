import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** A copy is made, life goes on, and the copy comes back: what is new then has numbers that were taken. */
async function restored(run: FaultRun, restore: (backup: string) => void | Promise<void>): Promise<void> {
  const { mac } = run.rig;
  for (let n = 0; n < 4; n++) await run.both(n % 2 ? BEN : undefined);
  await run.quiet(10_000);
  await mac.settled();
  const backup = run.rig.path('backup.db');
  mac.chatDb.backup(backup);
  for (let n = 0; n < 6; n++) await run.both(n % 2 ? BEN : undefined);
  await run.quiet(10_000);
  await mac.settled();
  const highest = lastRowid(run);

  const mark = run.mark;
  await restore(backup);
  expect(lastRowid(run)).toBeLessThan(highest);
  for (let n = 0; n < 3; n++) run.write(n % 2 ? BEN : undefined);
  await waitFor('the new rows', () => run.ledger.inserted.every(({ guid }) => run.ledger.accepted.has(guid)));
  await run.logged('epoch 2', mark);
  await run.ask();
}

function lastRowid({ rig }: FaultRun): number {
  return rig.mac.chatDb.get<{ last: number }>('SELECT max(ROWID) AS last FROM message')!.last;
}

function postsOnce({ ledger, front }: FaultRun): void {
  const keys = front.messages.map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
  expect([...ledger.accepted.values()].every(({ copies }) => copies === 1)).toBe(true);
}

faultTest('D5 takes the new rows of a backup that was put back, and posts none that it knows again', {
  fault: (run) => restored(run, (backup) => run.rig.mac.chatDb.replace({ backup })),
  expect: postsOnce,
});

faultTest('D5 takes the new rows of a backup that was written over the open file', {
  fault: (run) =>
    restored(run, async (backup) => {
      const db = new Database(backup, { readonly: true });
      await db.backup(run.rig.mac.chatDbPath);
      db.close();
    }),
  expect: postsOnce,
});
