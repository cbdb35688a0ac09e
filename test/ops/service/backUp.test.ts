import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { backUp, hasWorkedSince } from '../../../src/ops/service/backUp.ts';
import { tempDir } from '../../support/tempDir.ts';

const NOON = Date.parse('2026-11-21T12:00:00Z');
const HOUR_MS = 3_600_000;

/** A state folder with a state.db, and `sql` to run on that. */
function stateFolder() {
  const stateDir = tempDir();
  const sql = (text: string) => {
    const db = new Database(join(stateDir, 'state.db'));
    db.exec(text);
    db.close();
  };
  sql(`PRAGMA journal_mode = WAL; CREATE TABLE meta (key, value); CREATE TABLE sends (send_id INTEGER PRIMARY KEY, state);
    INSERT INTO sends (state) VALUES ('queued')`);
  return { stateDir, sql, all: join(stateDir, 'backups') };
}

describe('backing up', () => {
  it('keeps the newest three, and whatever else somebody has in a folder of that name', async () => {
    const { stateDir, all } = stateFolder();
    const theirs = ['2009 holiday', '2019-01-01', '2019-01-01T00-00-00-000Z', 'zebra'];
    for (const name of theirs) mkdirSync(join(all, name), { recursive: true });
    writeFileSync(join(all, 'letter.txt'), '');
    for (let hour = 0; hour < 5; hour++) await backUp({ stateDir, files: [], now: NOON + hour * HOUR_MS });
    const left = ['14', '15', '16'].map((hour) => `2026-11-21T${hour}-00-00-000Z`);
    expect(readdirSync(all).sort()).toEqual([...theirs, ...left, 'letter.txt'].sort());
  });

  it('keeps the one it has just made when the clock was set back', async () => {
    const { stateDir, all } = stateFolder();
    for (let hour = 0; hour < 3; hour++) await backUp({ stateDir, files: [], now: NOON + hour * HOUR_MS });
    const made = await backUp({ stateDir, files: [], now: NOON - HOUR_MS });
    expect(existsSync(join(made!, 'state.db'))).toBe(true);
    expect(readdirSync(all)).toHaveLength(3);
  });

  it('leaves no half of one', async () => {
    const { stateDir, all } = stateFolder();
    await expect(backUp({ stateDir, files: [stateDir], now: NOON })).rejects.toThrow();
    expect(readdirSync(all)).toEqual([]);
  });
});

describe('what a state knows more than its backup', () => {
  it.each([
    ['nothing, with another schema', false, 'ALTER TABLE sends ADD COLUMN colour; CREATE TABLE extra (a)'],
    ['nothing but its own bookkeeping', false, "INSERT INTO meta VALUES ('started_at', 1)"],
    ['a bubble that was sent', true, "UPDATE sends SET state = 'sending'"],
    ['a new row', true, "INSERT INTO sends (state) VALUES ('held')"],
    ['the lack of a row', true, 'DELETE FROM sends'],
    ['what nothing tells, for the table is gone', true, 'DROP TABLE sends'],
    ['what nothing tells, for a column has another name', true, 'ALTER TABLE sends RENAME COLUMN state TO phase'],
  ])('is %s', async (_what, worked, change) => {
    const { stateDir, sql } = stateFolder();
    const folder = (await backUp({ stateDir, files: [], now: NOON }))!;
    sql(change);
    expect(hasWorkedSince(folder, stateDir)).toBe(worked);
  });
});
