import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';

/** More than a person will ever go back, and little beside the messages themselves. */
const KEPT = 3;
/** A time as ISO 8601 has it, with nothing that a file system minds. */
const BACKUP_NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/;

export interface BackupOptions {
  readonly stateDir: string;
  /** Copied as they are, where they exist: the configuration, the property list. */
  readonly files: readonly string[];
  /** Names the folder, ms since 1970. */
  readonly now: number;
}

/**
 * Copies state.db, whether an agent has it open or not, and the given files into `stateDir/backups/TIME/`, and deletes all
 * such folders but the newest three. Undefined where there is no state.db yet.
 */
export async function backUp({ stateDir, files, now }: BackupOptions): Promise<string | undefined> {
  const database = join(stateDir, 'state.db');
  if (!existsSync(database)) return undefined;
  const all = join(stateDir, 'backups');
  const folder = join(all, new Date(now).toISOString().replaceAll(/[:.]/g, '-'));
  const next = unfinishedBackup(stateDir);
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { recursive: true, mode: 0o700 });
  const umask = process.umask(0o077);
  try {
    const db = new Database(database, { readonly: true, fileMustExist: true });
    try {
      await db.backup(join(next, 'state.db'));
    } finally {
      db.close();
    }
    for (const file of files) if (existsSync(file)) copyFileSync(file, join(next, basename(file)));
    renameSync(next, folder);
  } catch (error) {
    rmSync(next, { recursive: true, force: true }); // half of one is no backup
    throw error;
  } finally {
    process.umask(umask);
  }
  // Never the new one: after a step of the clock its name may be the oldest.
  const others = backupsIn(stateDir).filter((each) => each !== folder);
  for (const old of others.slice(0, -(KEPT - 1))) rmSync(old, { recursive: true, force: true });
  return folder;
}

/** What a backup is until it is whole. */
export function unfinishedBackup(stateDir: string): string {
  return join(stateDir, 'backups/.next');
}

/** The folders of the backups, oldest first. What else lies in `stateDir/backups`, which may be somebody's own, is none. */
export function backupsIn(stateDir: string): string[] {
  const all = join(stateDir, 'backups');
  if (!existsSync(all)) return [];
  return readdirSync(all)
    .filter((name) => BACKUP_NAME.test(name) && existsSync(join(all, name, 'state.db')))
    .sort()
    .map((name) => join(all, name));
}

/** The schema that a state.db has; undefined where there is none. */
export function schemaOf(database: string): number | undefined {
  if (!existsSync(database)) return undefined;
  const db = new Database(database, { readonly: true, fileMustExist: true });
  try {
    return db.pragma('user_version', { simple: true }) as number;
  } finally {
    db.close();
  }
}

/** When an agent last said in a state.db that it has started, ms since 1970; NaN where none did, or it cannot be read. */
export function startedAt(database: string): number {
  try {
    const db = new Database(database, { readonly: true, fileMustExist: true });
    try {
      return Number(db.prepare(`SELECT value FROM meta WHERE key = 'started_at'`).pluck().get() ?? Number.NaN);
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof Database.SqliteError || !existsSync(database)) return Number.NaN;
    throw error;
  }
}

/**
 * Whether a state.db knows anything that the one in a backup of it does not, its own bookkeeping aside: what was sent or
 * acknowledged meanwhile. Where tables or columns are gone nothing tells, and it may.
 */
export function hasWorkedSince(folder: string, stateDir: string): boolean {
  const db = new Database(join(stateDir, 'state.db'), { readonly: true, fileMustExist: true });
  try {
    db.prepare('ATTACH ? AS old').run(join(folder, 'state.db'));
    const tables = db
      .prepare(`SELECT name FROM old.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'`)
      .pluck()
      .all() as string[];
    return tables
      .filter((table) => table !== 'meta')
      .some((table) => {
        const names = db.prepare(`SELECT name FROM pragma_table_info(?, 'old')`).pluck().all(table) as string[];
        const rowsOf = (schema: string) => `SELECT ${names.map(quoted).join()} FROM ${schema}.${quoted(table)}`;
        const differs = (one: string, other: string) =>
          db.prepare(`${rowsOf(one)} EXCEPT ${rowsOf(other)} LIMIT 1`).get() !== undefined;
        return differs('main', 'old') || differs('old', 'main');
      });
  } catch (error) {
    if (error instanceof Database.SqliteError) return true;
    throw error;
  } finally {
    db.close();
  }
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Puts the state.db of a backup back; killed at any point it leaves the one or the other whole. No agent may run. */
export function restoreState(folder: string, stateDir: string): void {
  const database = join(stateDir, 'state.db');
  const next = `${database}.next`;
  try {
    copyFileSync(join(folder, 'state.db'), next);
  } catch (error) {
    rmSync(next, { force: true }); // half of it on a full disk
    throw error;
  }
  const file = openSync(next, 'r');
  fsyncSync(file);
  closeSync(file);
  emptyWal(database);
  // Before the file itself: a WAL must never meet another database than its own.
  for (const suffix of ['-wal', '-shm']) rmSync(database + suffix, { force: true });
  renameSync(next, database);
}

/** What is only in the WAL goes to where it belongs. */
function emptyWal(database: string): void {
  try {
    const db = new Database(database, { fileMustExist: true });
    try {
      db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      db.close();
    }
  } catch (error) {
    // One that cannot be read is not missed.
    if (!(error instanceof Database.SqliteError)) throw error;
  }
}
