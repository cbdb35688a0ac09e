import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';

/** More than a person will ever go back, and little beside the messages themselves. */
const KEPT = 3;

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
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const db = new Database(database, { readonly: true, fileMustExist: true });
  const umask = process.umask(0o077);
  try {
    await db.backup(join(folder, 'state.db'));
  } finally {
    process.umask(umask);
    db.close();
  }
  for (const file of files) if (existsSync(file)) copyFileSync(file, join(folder, basename(file)));
  const old = readdirSync(all).sort().slice(0, -KEPT);
  for (const name of old) rmSync(join(all, name), { recursive: true, force: true });
  return folder;
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

/** Puts the state.db of a backup back. No agent may run. */
export function restoreState(folder: string, stateDir: string): void {
  const database = join(stateDir, 'state.db');
  const next = `${database}.next`;
  copyFileSync(join(folder, 'state.db'), next);
  // Before the file itself: a WAL must never meet another database than its own.
  for (const suffix of ['-wal', '-shm']) rmSync(database + suffix, { force: true });
  renameSync(next, database);
}
