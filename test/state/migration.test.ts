import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { SCHEMA_VERSION } from '../../src/state/schema.ts';
import { tempDir } from '../support/tempDir.ts';
import { expectAllKept, VERSIONS, writeFixture } from './fixtures/openFixture.ts';

it('has a fixture of every version', () => {
  expect(VERSIONS.at(-1)).toBe(SCHEMA_VERSION);
});

it.each(VERSIONS)('brings all that a state.db of version %i had under way into this one', (version) => {
  const path = join(tempDir(), 'state.db');
  writeFixture(version, path);
  const store = StateStore.open(path, 10);
  onTestFinished(() => store.close());
  expectAllKept(store, version);
  expect(store.isBehind).toBe(false);
  if (version === SCHEMA_VERSION) return;
  const backup = new Database(`${path}.v${version}.bak`, { readonly: true });
  onTestFinished(() => void backup.close());
  expect(backup.pragma('user_version', { simple: true })).toBe(version);
});

it.each(VERSIONS)('gives a state.db of version %i the very schema of a new one', (version) => {
  const dir = tempDir();
  writeFixture(version, join(dir, 'old.db'));
  for (const name of ['old.db', 'new.db']) StateStore.open(join(dir, name), 10).close();
  const schemaOf = (name: string) => {
    const db = new Database(join(dir, name), { readonly: true });
    onTestFinished(() => void db.close());
    // Columns that came later stand behind the comment of the last one before: only the names and kinds count.
    const columns = `
      SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || coalesce(c.dflt_value, '')
      FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table' ORDER BY 1`;
    const indexes = `SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY sql`;
    return [db.prepare(columns).pluck().all(), db.prepare(indexes).pluck().all()];
  };
  expect(schemaOf('old.db')).toEqual(schemaOf('new.db'));
});
