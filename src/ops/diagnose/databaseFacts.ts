import { statSync } from 'node:fs';
import Database from 'better-sqlite3';

/** Longest a read waits for another connection, ms. */
const BUSY_MS = 50;
/** Rows counted at most: what is more is as good as known. */
const MAX_COUNTED = 1_000_000;
/** More than chat.db of any macOS has. */
const MAX_TABLES = 200;

export interface DatabaseFacts {
  readonly sqlite: string;
  readonly user_version: number;
  readonly journal_mode: string;
  readonly pages: number;
  readonly page_bytes: number;
  /** Columns as `name type`; `rows` is at most a million. */
  readonly tables: Readonly<Record<string, { rows: number; columns: readonly string[] }>>;
}

/** The shape of an SQLite file, and how much is in it; nothing of what it holds. */
export function databaseFacts(path: string): DatabaseFacts {
  if (!statSync(path).isFile()) throw new Error(`${path} is not a file`); // a FIFO would be waited for
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
  try {
    const one = (sql: string) => db.prepare(sql).pluck().get();
    const names = db
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name LIMIT ${MAX_TABLES}`)
      .pluck()
      .all() as string[];
    const facts = (name: string) => {
      const quoted = `"${name.replaceAll('"', '""')}"`;
      const columns = db.pragma(`table_info(${quoted})`) as { name: string; type: string }[];
      return {
        rows: one(`SELECT count(*) FROM (SELECT 1 FROM ${quoted} LIMIT ${MAX_COUNTED})`) as number,
        columns: columns.map((column) => `${column.name} ${column.type}`.trim()),
      };
    };
    return {
      sqlite: one('SELECT sqlite_version()') as string,
      user_version: one('PRAGMA user_version') as number,
      journal_mode: one('PRAGMA journal_mode') as string,
      pages: one('PRAGMA page_count') as number,
      page_bytes: one('PRAGMA page_size') as number,
      tables: Object.fromEntries(names.map((name) => [name, facts(name)])),
    };
  } finally {
    db.close();
  }
}
