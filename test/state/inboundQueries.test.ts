import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { INBOUND_QUERIES } from '../../src/state/Inbound.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { tempDir } from '../support/tempDir.ts';

/** Queries asked with every look at the table: each reads what it gives and no more. */
function plans(analyze: boolean): [string, string[]][] {
  const path = join(tempDir(), 'state.db');
  const store = StateStore.open(path, 0);
  store.transaction(() => {
    for (let n = 0; n < 500; n++) {
      const backfill = n % 3 === 0;
      const place = { guid: `g${n}`, epoch: 1, chatRowid: n, threadId: `t${n % 7}`, backfill, messageAt: n, now: n };
      store.inbound.insert({ ...place, body: undefined, ...(n % 2 ? { skipped: 'own' } : {}), fingerprint: `f${n}` });
    }
  });
  store.close();
  const db = new Database(path);
  if (analyze) db.exec('ANALYZE');
  const found = Object.entries(INBOUND_QUERIES).map(([name, sql]): [string, string[]] => {
    const unbound = Array.from({ length: (sql.match(/\?/g) ?? []).length }, () => null);
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...unbound) as { detail: string }[];
    return [name, steps.map(({ detail }) => detail)];
  });
  db.close();
  return found;
}

describe.each([
  ['fresh', false],
  ['analysed', true],
])('in a %s state.db', (_, analyze) => {
  it('no query on inbound rows scans the table or sorts', () => {
    // A scan by a partial index reads the rows the index is for: those that are parked, open, undecided, dead.
    const bad = plans(analyze).flatMap(([name, steps]) =>
      steps
        .filter((step) => /SCAN inbound(?! USING (COVERING )?INDEX inbound_)|USE TEMP B-TREE/.test(step))
        .map((step) => `${name}: ${step}`),
    );
    expect(bad).toEqual([]);
  });
});
