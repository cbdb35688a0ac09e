import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { deliversAgain } from './harness/stateFiles.ts';
import { passes, says } from './harness/treatments.ts';

const PAGE = 4096;

const damages: readonly [string, (path: string) => void][] = [
  ['garbage', (path) => writeFileSync(path, 'not a database, by any means'.repeat(400))],
  [
    'a database with a damaged page',
    (path) => {
      const bytes = readFileSync(path);
      bytes.fill(0xff, 2 * PAGE, 3 * PAGE);
      writeFileSync(path, bytes);
    },
  ],
];

for (const [what, damage] of damages) {
  faultTest(`S3 puts a state.db aside that is ${what}, and neither loses what waited in it nor does anything twice`, {
    startsAgent: false,
    losesState: true,
    async fault(run) {
      const { rig, front, ledger } = run;
      const path = join(rig.path('state'), 'state.db');
      deliversAgain(run);
      await run.restart();
      for (const thread of [ANN, BEN]) await run.both(thread);
      await run.quiet(20_000);
      front.treat = ({ path }) => (path === '/edge/message' ? says(503) : passes);
      run.write(ANN);
      await run.read();
      await run.crash();
      const db = new Database(path);
      db.pragma('wal_checkpoint(TRUNCATE)');
      db.close();
      for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
      damage(path);
      front.treat = () => passes;
      const mark = run.mark;

      await run.restart();
      await run.logged(/EDGE_STATE_CORRUPT: set aside as .*state\.db\.corrupt-\d+/, mark);
      await run.both(BEN);
      await run.quiet(20_000);
      expect(readdirSync(rig.path('state')).filter((name) => name.includes('.corrupt-'))).not.toEqual([]);
      expect(ledger.told('error')).toMatchObject([{ details: { code: 'EDGE_STATE_CORRUPT' } }]);
    },
  });
}
