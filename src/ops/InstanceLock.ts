import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import Database from 'better-sqlite3';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import { makeFolder } from '../util/makeFolder.ts';

/**
 * How long the lock may be contended, ms. Of two that reach for it at the same moment SQLite may refuse both at once,
 * and a holder that was killed has it until the kernel is done with the process.
 */
const PATIENCE_MS = 250;

/**
 * Lets one agent at a time use a state directory. An exclusive SQLite transaction on a file of its own is a lock held
 * by the kernel: it ends with the process however that ends, so that none is ever stale.
 */
export class InstanceLock {
  readonly #db: Database.Database;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /** Takes the lock or fails within a moment, blocking meanwhile. @throws EdgeError EDGE_ALREADY_RUNNING, EDGE_STATE_DIR */
  static acquire(path: string): InstanceLock {
    let db: Database.Database | undefined;
    try {
      makeFolder(dirname(path));
      db = new Database(path, { timeout: PATIENCE_MS });
      chmodSync(path, 0o600);
      db.exec('BEGIN EXCLUSIVE');
      writePid(path);
      return new InstanceLock(db);
    } catch (error) {
      db?.close();
      const code = (error as { code?: string }).code;
      if (code === 'SQLITE_BUSY') {
        throw new EdgeError('EDGE_ALREADY_RUNNING', `another agent holds ${path}`, { cause: error });
      }
      throw new EdgeError('EDGE_STATE_DIR', `cannot lock ${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Whether somebody holds the lock now. Nobody holds one that is gone or cannot be read. */
  static isHeld(path: string): boolean {
    let db: Database.Database | undefined;
    try {
      db = new Database(path, { fileMustExist: true, timeout: 0 });
      db.exec('BEGIN EXCLUSIVE');
      return false;
    } catch (error) {
      return (error as { code?: string }).code === 'SQLITE_BUSY';
    } finally {
      db?.close();
    }
  }

  /** The process that took the lock last; of use only to who knows that it still has it. */
  static holder(path: string): number | undefined {
    try {
      return Number(/^\d+\n$/.exec(readFileSync(pidPath(path), 'utf8'))?.[0]) || undefined;
    } catch {
      return undefined;
    }
  }

  release(): void {
    this.#db.close();
  }
}

/** For people: on a full disk the lock is as good without it. */
function writePid(path: string): void {
  try {
    writeFileSync(pidPath(path), `${process.pid}\n`, { mode: 0o600 });
  } catch {
    rmSync(pidPath(path), { force: true });
  }
}

function pidPath(path: string): string {
  return join(dirname(path), 'lock.pid');
}
