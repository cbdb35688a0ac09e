import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { copyRows } from './copyRows.ts';
import { type SchemaVariant, varySchema } from './schemaVariant.ts';

/** The systems whose schema is at hand; 13 stands for 14 too, 15 for every 15. */
export type MacosVersion = 12 | 13 | 15 | 26;

export type SqlValue = string | number | bigint | Uint8Array | null;

/**
 * What takes the place of chat.db: the same rows under the same ROWIDs; the same rows renumbered by date, as after a
 * rebuild; nothing; or the copy made earlier at a path, as after a restored backup.
 */
export type Replacement = 'same-rows' | 'renumbered' | 'empty' | { readonly backup: string };

/** How long a write waits for a test that has locked the file, ms: Messages would not give a row up either. */
const BUSY_MS = 60_000;
/** Page cache while writing, KiB, as a negative number: a long history's indexes have to fit. */
const CACHE_KIB = -262_144;

/** The chat.db of a simulated Mac, open for writing, and what can befall the file. */
export class ChatDbFile {
  readonly path: string;
  readonly macos: MacosVersion;
  readonly #synchronous: 'NORMAL' | 'FULL';
  readonly #schema: SchemaVariant;
  readonly #columns = new Map<string, ReadonlySet<string>>();
  #db: Database.Database | undefined;
  readonly #statements = new Map<string, Database.Statement>();

  constructor(o: { path: string; macos: MacosVersion; synchronous?: 'NORMAL' | 'FULL'; schema?: SchemaVariant }) {
    this.path = o.path;
    this.macos = o.macos;
    this.#synchronous = o.synchronous ?? 'NORMAL';
    this.#schema = o.schema ?? {};
  }

  /** Opens the file; makes it, with Apple's schema and in WAL mode, where there is none. */
  open(): void {
    if (this.#db) return;
    mkdirSync(dirname(this.path), { recursive: true });
    this.#db = this.#connect(this.path);
  }

  /** The last connection that closes takes the -wal with it. */
  close(): void {
    this.#statements.clear();
    this.#columns.clear();
    this.#db?.close();
    this.#db = undefined;
  }

  /** Runs a writing statement; prepared once per text. */
  run(sql: string, ...values: SqlValue[]): Database.RunResult {
    return this.#statement(sql).run(...values);
  }

  /** The first row of a query. Integers come as numbers. */
  get<T>(sql: string, ...values: SqlValue[]): T | undefined {
    return this.#statement(sql).get(...values) as T | undefined;
  }

  all<T>(sql: string, ...values: SqlValue[]): T[] {
    return this.#statement(sql).all(...values) as T[];
  }

  /** The columns this chat.db has; none where there is no such table. */
  columns(table: string): ReadonlySet<string> {
    let columns = this.#columns.get(table);
    if (!columns) {
      columns = new Set(
        this.all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`).map((c) => c.name),
      );
      this.#columns.set(table, columns);
    }
    return columns;
  }

  /** Whether texts stand in the column `text` too: up to macOS 12 as a rule, and where there is nothing else for them. */
  get fillsText(): boolean {
    return this.macos === 12 || !this.columns('message').has('attributedBody');
  }

  /** Inserts what the table has columns for: a Mac without a column has nothing to say in it. */
  insert(table: string, values: Readonly<Record<string, SqlValue>>, o: { orIgnore?: boolean } = {}): void {
    const columns = this.columns(table);
    const names = Object.keys(values).filter((name) => columns.has(name));
    if (names.length === 0) return;
    const sql = `INSERT ${o.orIgnore ? 'OR IGNORE ' : ''}INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
    this.run(sql, ...names.map((name) => values[name]!));
  }

  /** Everything `write` does becomes visible to readers at once. */
  transaction<T>(write: () => T): T {
    return this.#opened.transaction(write).immediate();
  }

  /** PRAGMA wal_checkpoint(TRUNCATE). False when a reader was in the way: it is not waited for. */
  checkpoint(): boolean {
    this.#opened.pragma('busy_timeout = 0');
    const [result] = this.#opened.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
    this.#opened.pragma(`busy_timeout = ${BUSY_MS}`);
    return result?.busy === 0;
  }

  /**
   * Closes the connection and opens it again, as when imagent is restarted. The -wal is made anew (a new inode) unless
   * another program has the database open: SQLite deletes it with the last connection only. Returns whether it was.
   */
  recreateWal(): boolean {
    this.close();
    const deleted = !existsSync(`${this.path}-wal`);
    this.open();
    // An open alone makes no -wal; a write does.
    this.run(
      `INSERT INTO _SqliteDatabaseProperties (key, value) VALUES ('simulator_wal', ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      randomUUID(),
    );
    return deleted;
  }

  /** A copy of the database as it is now, for `replace({ backup })`. */
  backup(path: string): void {
    rmSync(path, { force: true });
    this.run('VACUUM INTO ?', path);
  }

  /**
   * Another file (a new inode) takes chat.db's place. Readers that have the old one open keep reading it and are told
   * nothing, as on a Mac. For a moment there is no file at the path.
   */
  replace(replacement: Replacement): void {
    const fresh = join(dirname(this.path), `chat.db-new-${randomUUID()}`);
    if (replacement === 'same-rows') this.backup(fresh);
    else if (typeof replacement === 'object') {
      const backup = new Database(replacement.backup, { readonly: true });
      backup.prepare('VACUUM INTO ?').run(fresh);
      backup.close();
    } else {
      const db = this.#connect(fresh);
      if (replacement === 'renumbered') copyRows(db, this.path);
      db.close();
    }
    this.close();
    renameSync(this.path, `${this.path}-old`);
    for (const suffix of ['-wal', '-shm']) rmSync(this.path + suffix, { force: true });
    renameSync(fresh, this.path);
    rmSync(`${this.path}-old`);
    this.open();
  }

  get #opened(): Database.Database {
    if (!this.#db) throw new Error(`the simulated ${this.path} is not open`);
    return this.#db;
  }

  #statement(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#opened.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #connect(path: string): Database.Database {
    const db = new Database(path, { timeout: BUSY_MS });
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${this.#synchronous}`);
    db.pragma(`cache_size = ${CACHE_KIB}`);
    if (!db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'message'`).get()) {
      const sql = readFileSync(join(import.meta.dirname, 'schemas', `macos${this.macos}.sql`), 'utf8');
      db.exec(varySchema(sql, this.#schema));
      db.prepare(`INSERT INTO _SqliteDatabaseProperties VALUES ('_UniqueIdentifier', ?)`).run(randomUUID());
    }
    return db;
  }
}
