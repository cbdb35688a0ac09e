import type { Database, Statement } from 'better-sqlite3';
import type { ErrorCode } from '../util/errors.ts';

/**
 * ```
 * waiting ──taken by the backend──▶ done
 *  │    ▲                            │
 *  │    └──────── upload_retry ──────┤
 *  └──gone, too large, refused──▶ failed
 * ```
 * There is no durable "uploading": after a crash the file is posted again under the same key.
 */
export type UploadState = 'waiting' | 'done' | 'failed';

/** A file of a message that came in, on its way to the backend. */
export interface UploadRow {
  uploadId: number;
  attachmentGuid: string;
  /** '' while it is wanted by an upload_retry and not yet looked up in chat.db. */
  messageGuid: string;
  threadId: string;
  /** As chat.db had it; null where it was not known yet. */
  path: string | null;
  /** After the privacy filter. */
  name: string;
  mimeType: string;
  sizeBytes: number;
  backfill: 0 | 1;
  state: UploadState;
  messageWaitsUntilAt: number | null;
  commandId: string | null;
  attempts: number;
  nextAttemptAt: number;
  errorCode: string | null;
  errorDetail: string | null;
  createdAt: number;
  finishedAt: number | null;
}

/** What chat.db says of an attachment. */
export interface UploadPlace {
  messageGuid: string;
  threadId: string;
  path: string | undefined;
  name: string;
  mimeType: string;
  sizeBytes: number;
}

export interface NewUpload extends UploadPlace {
  attachmentGuid: string;
  backfill: boolean;
  /** Until when its message is held back for it, ms since 1970; undefined: not at all. */
  messageWaitsUntilAt: number | undefined;
  now: number;
}

const COLUMNS = `upload_id AS uploadId, attachment_guid AS attachmentGuid, message_guid AS messageGuid,
  thread_id AS threadId, path, name, mime_type AS mimeType, size_bytes AS sizeBytes, backfill, state,
  message_waits_until_at AS messageWaitsUntilAt, command_id AS commandId, attempts, next_attempt_at AS nextAttemptAt,
  error_code AS errorCode, error_detail AS errorDetail, created_at AS createdAt, finished_at AS finishedAt`;

/** Files of messages that came in: each attachment guid once. */
export class Uploads {
  readonly #insert: Statement;
  readonly #ask: Statement;
  readonly #locate: Statement;
  readonly #byGuid: Statement;
  readonly #due: Statement;
  readonly #nextAt: Statement;
  readonly #dueNow: Statement;
  readonly #lastAt: Statement;
  readonly #notAfter: Statement;
  readonly #heldUntil: Statement;
  readonly #finish: Statement;
  readonly #retryLater: Statement;
  readonly #forget: Statement;
  readonly #counts: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO uploads (attachment_guid, message_guid, thread_id, path, name, mime_type, size_bytes, backfill, state,
        message_waits_until_at, next_attempt_at, created_at)
      VALUES (@attachmentGuid, @messageGuid, @threadId, @path, @name, @mimeType, @sizeBytes, @backfill, 'waiting',
        @messageWaitsUntilAt, @now, @now) ON CONFLICT (attachment_guid) DO NOTHING`);
    this.#ask = db.prepare(`
      INSERT INTO uploads (attachment_guid, message_guid, thread_id, name, mime_type, size_bytes, backfill, state,
        command_id, next_attempt_at, created_at)
      VALUES (@attachmentGuid, '', '', '', '', 0, 0, 'waiting', @commandId, @now, @now)
      ON CONFLICT (attachment_guid) DO UPDATE SET state = 'waiting', command_id = @commandId, backfill = 0, attempts = 0,
        next_attempt_at = @now, error_code = NULL, error_detail = NULL, created_at = @now, finished_at = NULL`);
    this.#locate = db.prepare(`
      UPDATE uploads SET message_guid = @messageGuid, thread_id = @threadId, path = @path, name = @name,
        mime_type = @mimeType, size_bytes = @sizeBytes WHERE upload_id = @uploadId`);
    this.#byGuid = db.prepare(`SELECT ${COLUMNS} FROM uploads WHERE attachment_guid = ?`);
    this.#due = db.prepare(`
      SELECT ${COLUMNS} FROM uploads WHERE state = 'waiting' AND backfill = ? AND next_attempt_at <= ?
      ORDER BY next_attempt_at, upload_id LIMIT +?`);
    this.#nextAt = db
      .prepare(
        `SELECT min(next_attempt_at) FROM uploads WHERE state = 'waiting' AND backfill = ? AND next_attempt_at > ?`,
      )
      .pluck();
    this.#dueNow = db.prepare(`UPDATE uploads SET next_attempt_at = ? WHERE upload_id = ? AND state = 'waiting'`);
    this.#lastAt = db
      .prepare(`SELECT max(next_attempt_at) FROM uploads WHERE state = 'waiting' AND backfill = ?`)
      .pluck();
    this.#notAfter = db.prepare(`
      UPDATE uploads SET next_attempt_at = @now WHERE state = 'waiting' AND next_attempt_at > @now
        AND (next_attempt_at > @latest OR error_code = @code)`);
    this.#heldUntil = db
      .prepare(`SELECT max(message_waits_until_at) FROM uploads WHERE state = 'waiting' AND message_guid = ?`)
      .pluck();
    this.#finish = db.prepare(`
      UPDATE uploads SET state = @state, finished_at = @now, command_id = NULL, size_bytes = coalesce(@sizeBytes, size_bytes),
        error_code = @code, error_detail = @detail WHERE upload_id = @uploadId AND state = 'waiting'`);
    this.#retryLater = db.prepare(`
      UPDATE uploads SET attempts = attempts + @failures, next_attempt_at = @nextAttemptAt, error_code = @code,
        error_detail = @detail WHERE upload_id = @uploadId AND state = 'waiting'`);
    this.#forget = db.prepare('DELETE FROM uploads WHERE upload_id = ?');
    this.#counts = db.prepare(`
      SELECT (SELECT count(*) FROM uploads WHERE state = 'waiting') AS waiting,
        (SELECT count(*) FROM uploads WHERE state = 'failed') AS failed`);
    this.#prune = db.prepare(`
      DELETE FROM uploads WHERE upload_id IN (
        SELECT upload_id FROM uploads WHERE finished_at IS NOT NULL AND finished_at < ? LIMIT +?)`);
  }

  /** Nothing is written for an attachment that is known. */
  insert(upload: NewUpload): void {
    this.#insert.run({
      ...upload,
      path: upload.path ?? null,
      backfill: upload.backfill ? 1 : 0,
      messageWaitsUntilAt: upload.messageWaitsUntilAt ?? null,
    });
  }

  /** A command wants the file, whatever became of it before; of one that is not known only the guid is written. */
  ask(attachmentGuid: string, commandId: string, now: number): void {
    this.#ask.run({ attachmentGuid, commandId, now });
  }

  /** What was asked for by its guid alone was found. */
  locate(uploadId: number, place: UploadPlace): void {
    this.#locate.run({ ...place, path: place.path ?? null, uploadId });
  }

  byGuid(attachmentGuid: string): UploadRow | undefined {
    return this.#byGuid.get(attachmentGuid) as UploadRow | undefined;
  }

  /** Those that are due, in the order in which they became so. */
  due(kind: 'live' | 'backfill', now: number, limit: number): UploadRow[] {
    return this.#due.all(kind === 'backfill' ? 1 : 0, now, limit) as UploadRow[];
  }

  /** When the first is due of those that are not yet, ms since 1970. */
  nextAt(kind: 'live' | 'backfill', now: number): number | undefined {
    return (this.#nextAt.get(kind === 'backfill' ? 1 : 0, now) as number | null) ?? undefined;
  }

  dueNow(uploadId: number, now: number): void {
    this.#dueNow.run(now, uploadId);
  }

  /** When the last of those that wait is due, ms since 1970; 0 where none waits. */
  lastAt(): number {
    return Math.max(...[0, 1].map((backfill) => (this.#lastAt.get(backfill) as number | null) ?? 0));
  }

  /** What is due later than `latest`, or failed last with `code`, is due now. */
  hurry(o: { now: number; latest?: number; code?: ErrorCode }): void {
    this.#notAfter.run({ now: o.now, latest: o.latest ?? Number.MAX_SAFE_INTEGER, code: o.code ?? null });
  }

  /** Until when a message is held back for its files, ms since 1970. */
  heldUntil(messageGuid: string): number | undefined {
    return (this.#heldUntil.get(messageGuid) as number | null) ?? undefined;
  }

  markDone(uploadId: number, sizeBytes: number, now: number): void {
    this.#finish.run({ uploadId, state: 'done', sizeBytes, code: null, detail: null, now });
  }

  markFailed(uploadId: number, code: ErrorCode, detail: string, now: number): void {
    this.#finish.run({ uploadId, state: 'failed', sizeBytes: null, code, detail, now });
  }

  /** An attempt failed, or, without a code, there was nothing to attempt yet. */
  markRetry(uploadId: number, nextAttemptAt: number, code: ErrorCode | undefined, detail: string): void {
    this.#retryLater.run({ uploadId, nextAttemptAt, code: code ?? null, detail, failures: code === undefined ? 0 : 1 });
  }

  /** What was asked for by a guid that nobody knows leaves no row. */
  forget(uploadId: number): void {
    this.#forget.run(uploadId);
  }

  counts(): { waiting: number; failed: number } {
    return this.#counts.get() as { waiting: number; failed: number };
  }

  prune(finishedBefore: number, limit: number): number {
    return this.#prune.run(finishedBefore, limit).changes;
  }
}
