import { chmodSync, copyFileSync, existsSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import { makeFolder } from '../util/makeFolder.ts';
import { MIGRATIONS, SCHEMA_VERSION } from './schema.ts';

/** Longest a statement waits for another connection, ms. The wait blocks the event loop, so it is short. */
const BUSY_MS = 50;

/**
 * Pages of the WAL from which on a commit checkpoints: with the largest transaction it stays below 16 MB. More than
 * SQLite's 1,000, because in a large block every checkpoint writes most pages of the index of guids once more; taking
 * one in, `checkpoint` is called before that.
 */
const WAL_PAGES = 3_000;

/** Pages kept in memory, KiB: those that a batch of a block changes, and the indexes. */
const CACHE_KIB = 2048;

export interface OpenedDatabase {
  db: Database.Database;
  /** Where a damaged file was put, when a new one had to be begun. */
  quarantined: string | undefined;
}

/**
 * Opens state.db for writing, creating, checking and migrating it.
 * @throws EdgeError EDGE_STATE_NEWER, EDGE_STATE_DIR, EDGE_STATE_FULL, EDGE_STATE_IO
 */
export function openDatabase(path: string, now: number): OpenedDatabase {
  try {
    makeFolder(dirname(path));
  } catch (error) {
    throw new EdgeError('EDGE_STATE_DIR', `cannot create ${dirname(path)}: ${messageOf(error)}`, { cause: error });
  }
  try {
    return { db: openChecked(path), quarantined: undefined };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const aside = `${path}.corrupt-${now}`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
    return { db: openChecked(path), quarantined: aside };
  }
}

/** Opens state.db for looking, beside a running agent or without one. @throws EdgeError EDGE_STATE_NEWER, EDGE_STATE_OLDER */
export function openReadOnly(path: string): Database.Database {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
  try {
    const version = versionOf(db, path);
    if (version === SCHEMA_VERSION) return db;
    throw new EdgeError('EDGE_STATE_OLDER', `${path} has schema version ${version}, not ${SCHEMA_VERSION}`);
  } catch (error) {
    db.close();
    throw error;
  }
}

function versionOf(db: Database.Database, path: string): number {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version <= SCHEMA_VERSION) return version;
  throw new EdgeError(
    'EDGE_STATE_NEWER',
    `${path} has schema version ${version}; this program knows versions up to ${SCHEMA_VERSION}`,
  );
}

function openChecked(path: string): Database.Database {
  let db: Database.Database;
  try {
    db = new Database(path, { timeout: BUSY_MS });
  } catch (error) {
    if (isDamage(error)) throw error;
    throw new EdgeError('EDGE_STATE_DIR', `cannot open ${path}: ${messageOf(error)}`, { cause: error });
  }
  try {
    chmodSync(path, 0o600);
    db.pragma('journal_mode = WAL');
    // A connection that opens an existing WAL database gets NORMAL, which may lose commits at power loss.
    db.pragma('synchronous = FULL');
    db.pragma(`wal_autocheckpoint = ${WAL_PAGES}`);
    db.pragma(`cache_size = -${CACHE_KIB}`);
    if (process.platform === 'darwin') {
      db.pragma('fullfsync = ON');
      db.pragma('checkpoint_fullfsync = ON');
    }
    const problems = db.pragma('quick_check(1)', { simple: true });
    if (problems !== 'ok') throw new DamagedDatabase(String(problems));
    migrate(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

class DamagedDatabase extends Error {}

/** Whether SQLite calls the file damaged, or none of its own. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DamagedDatabase) return true;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB');
}

function migrate(db: Database.Database, path: string): void {
  const version = versionOf(db, path);
  if (version === SCHEMA_VERSION) return;
  if (version > 0) {
    db.pragma('wal_checkpoint(TRUNCATE)');
    copyFileSync(path, `${path}.v${version}.bak`);
    chmodSync(`${path}.v${version}.bak`, 0o600);
  }
  db.transaction(() => {
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  }).immediate();
}
