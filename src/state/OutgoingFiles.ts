import type { Database, Statement } from 'better-sqlite3';
import type { ErrorCode } from '../util/errors.ts';

/**
 * ```
 * wanted ──fetched, checked, written──▶ staged ──nobody reads it any more──▶ removed
 *   │ └─tried again later                            its bubble is over ──────▲
 *   └──not allowed, or tried often enough──▶ failed
 * ```
 */
export type OutgoingFileState = 'wanted' | 'staged' | 'failed' | 'removed';

/** A file on its way to be sent. Its bubble is the send that names it in `file_id`. */
export interface OutgoingFileRow {
  fileId: number;
  commandId: string;
  /** The file's own name, safe to write and to show. */
  name: string;
  mimeType: string;
  /** Where it is fetched; null when the bytes came with the command, and once it is no longer wanted. */
  url: string | null;
  state: OutgoingFileState;
  /** Where it is staged, or is to be: written down before anything is there. */
  path: string | null;
  sizeBytes: number | null;
  attempts: number;
  nextAttemptAt: number | null;
  errorCode: string | null;
  errorDetail: string | null;
  createdAt: number;
  stagedAt: number | null;
  finishedAt: number | null;
}

/** How long a staged file is kept after its bubble was delivered, ended without a report, or failed, ms. */
export interface Keeping {
  readonly deliveredMs: number;
  readonly unreportedMs: number;
  readonly failedMs: number;
}

const COLUMNS = `file_id AS fileId, command_id AS commandId, name, mime_type AS mimeType, url, state, path,
  size_bytes AS sizeBytes, attempts, next_attempt_at AS nextAttemptAt, error_code AS errorCode,
  error_detail AS errorDetail, created_at AS createdAt, staged_at AS stagedAt, finished_at AS finishedAt`;

/** Files to be sent. An address may hold a token and bytes are many: both are dropped when they are not needed any more. */
export class OutgoingFiles {
  readonly #insert: Statement;
  readonly #byId: Statement;
  readonly #data: Statement;
  readonly #waitingBytes: Statement;
  readonly #untriedBytes: Statement;
  readonly #wanted: Statement;
  readonly #wantedCount: Statement;
  readonly #paths: Statement;
  readonly #begin: Statement;
  readonly #retry: Statement;
  readonly #markStaged: Statement;
  readonly #fail: Statement;
  readonly #markRemoved: Statement;
  readonly #disposable: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO outgoing_files (command_id, name, mime_type, url, data, state, created_at)
      VALUES (@commandId, @name, @mimeType, @url, @data, 'wanted', @now)`);
    this.#byId = db.prepare(`SELECT ${COLUMNS} FROM outgoing_files WHERE file_id = ?`);
    this.#data = db.prepare('SELECT data FROM outgoing_files WHERE file_id = ?').pluck();
    this.#waitingBytes = db
      .prepare(`SELECT coalesce(sum(length(data)), 0) FROM outgoing_files WHERE state = 'wanted'`)
      .pluck();
    this.#untriedBytes = db
      .prepare(
        `SELECT EXISTS (SELECT 1 FROM outgoing_files WHERE state = 'wanted' AND data IS NOT NULL AND attempts = 0)`,
      )
      .pluck();
    this.#wanted = db.prepare(`SELECT ${COLUMNS} FROM outgoing_files WHERE state = 'wanted'
      ORDER BY coalesce(next_attempt_at, 0), file_id LIMIT +?`);
    this.#wantedCount = db.prepare(`SELECT count(*) FROM outgoing_files WHERE state = 'wanted'`).pluck();
    this.#paths = db
      .prepare(`SELECT path FROM outgoing_files WHERE state IN ('wanted', 'staged') AND path IS NOT NULL`)
      .pluck();
    this.#begin = db.prepare('UPDATE outgoing_files SET path = @path WHERE file_id = @fileId');
    this.#retry = db.prepare(`
      UPDATE outgoing_files SET attempts = attempts + 1, next_attempt_at = @nextAttemptAt, error_code = @code,
        error_detail = @detail WHERE file_id = @fileId`);
    this.#markStaged = db.prepare(`
      UPDATE outgoing_files SET state = 'staged', size_bytes = @sizeBytes, attempts = attempts + 1,
        staged_at = @now, url = NULL, data = NULL, next_attempt_at = NULL, error_code = NULL, error_detail = NULL
      WHERE file_id = @fileId`);
    this.#fail = db.prepare(`
      UPDATE outgoing_files SET state = 'failed', attempts = attempts + 1, finished_at = @now, path = NULL, url = NULL, data = NULL,
        next_attempt_at = NULL, error_code = @code, error_detail = @detail WHERE file_id = @fileId`);
    this.#markRemoved = db.prepare(`
      UPDATE outgoing_files SET state = 'removed', path = NULL, url = NULL, data = NULL, next_attempt_at = NULL,
        finished_at = @now WHERE file_id = @fileId`);
    this.#disposable = db.prepare(`
      SELECT f.file_id AS fileId, f.path FROM outgoing_files f LEFT JOIN sends s ON s.file_id = f.file_id
      WHERE f.state = 'staged' AND f.file_id > @past AND (s.send_id IS NULL
        OR coalesce(s.delivered_at, s.read_at) < @deliveredBefore
        OR s.state IN ('confirmed', 'delivered', 'unknown') AND s.finished_at < @unreportedBefore
        OR s.state IN ('failed', 'superseded') AND s.finished_at < @failedBefore)
      ORDER BY f.file_id LIMIT +@limit`);
    this.#prune = db.prepare(`
      DELETE FROM outgoing_files WHERE file_id IN (
        SELECT file_id FROM outgoing_files WHERE finished_at < ? LIMIT +?)`);
  }

  /** One of `url` and `data` is given. Returns the file_id. */
  insert(file: {
    commandId: string;
    name: string;
    mimeType: string;
    url: string | undefined;
    data: Buffer | undefined;
    now: number;
  }): number {
    return Number(this.#insert.run({ ...file, url: file.url ?? null, data: file.data ?? null }).lastInsertRowid);
  }

  byId(fileId: number): OutgoingFileRow | undefined {
    return this.#byId.get(fileId) as OutgoingFileRow | undefined;
  }

  /** The bytes that came with the command, until they are staged. */
  data(fileId: number): Buffer | undefined {
    return (this.#data.get(fileId) as Buffer | null | undefined) ?? undefined;
  }

  /** Of the bytes that came with commands, those that are not staged yet. */
  waitingBytes(): number {
    return this.#waitingBytes.get() as number;
  }

  /** Whether some of them were not tried yet. */
  hasUntriedBytes(): boolean {
    return this.#untriedBytes.get() === 1;
  }

  /** Files to be staged: new ones, then those that wait for another attempt, by its time. */
  wanted(limit: number): OutgoingFileRow[] {
    return this.#wanted.all(limit) as OutgoingFileRow[];
  }

  wantedCount(): number {
    return this.#wantedCount.get() as number;
  }

  /** Where files are, or are being written. */
  paths(): string[] {
    return this.#paths.all() as string[];
  }

  /** It is going to be written there. */
  begin(fileId: number, path: string): void {
    this.#begin.run({ fileId, path });
  }

  retry(fileId: number, o: { nextAttemptAt: number; code: ErrorCode; detail: string }): void {
    this.#retry.run({ fileId, ...o });
  }

  markStaged(fileId: number, o: { sizeBytes: number; now: number }): void {
    this.#markStaged.run({ fileId, ...o });
  }

  fail(fileId: number, o: { code: ErrorCode; detail: string; now: number }): void {
    this.#fail.run({ fileId, ...o });
  }

  markRemoved(fileId: number, now: number): void {
    this.#markRemoved.run({ fileId, now });
  }

  /** Staged files past `past` (a file_id) that nobody reads any more. */
  disposable(past: number, keeping: Keeping, now: number, limit: number): { fileId: number; path: string }[] {
    return this.#disposable.all({
      past,
      deliveredBefore: now - keeping.deliveredMs,
      unreportedBefore: now - keeping.unreportedMs,
      failedBefore: now - keeping.failedMs,
      limit,
    }) as { fileId: number; path: string }[];
  }

  prune(before: number, limit: number): number {
    return this.#prune.run(before, limit).changes;
  }
}
