import type { Database, Statement } from 'better-sqlite3';
import type { MessageRequest } from '../protocol/wire.ts';
import type { ErrorCode } from '../util/errors.ts';

/**
 * ```
 * parked ──row complete──▶ pending ──2xx or 409──▶ done
 *                            │  ▲
 *                 other 4xx  ▼  │ edge-agent retry
 *                            dead
 * ```
 * A pending row with `nextAttemptAt` is being retried; there is no durable "posting": after a crash it is posted
 * again under the same key.
 */
export type InboundState = 'parked' | 'pending' | 'done' | 'dead';

export interface InboundRow {
  inboundId: number;
  guid: string;
  epoch: number;
  chatRowid: number;
  threadId: string | null;
  state: InboundState;
  /** MessageRequest as JSON; null while parked and after retention. */
  body: string | null;
  backfill: 0 | 1;
  attempts: number;
  nextAttemptAt: number | null;
  errorCode: string | null;
  errorDetail: string | null;
  createdAt: number;
  doneAt: number | null;
}

export interface NewInbound {
  guid: string;
  epoch: number;
  chatRowid: number;
  threadId: string | null;
  /** Undefined parks the row until it is complete. */
  body: MessageRequest | undefined;
  backfill: boolean;
  now: number;
}

const COLUMNS = `inbound_id AS inboundId, guid, epoch, chat_rowid AS chatRowid, thread_id AS threadId, state, body,
  backfill, attempts, next_attempt_at AS nextAttemptAt, error_code AS errorCode, error_detail AS errorDetail,
  created_at AS createdAt, done_at AS doneAt`;

/** Messages that came in: each guid once, for ever as far as retention goes. */
export class Inbound {
  readonly #insert: Statement;
  readonly #known: Statement;
  readonly #complete: Statement;
  readonly #byGuid: Statement;
  readonly #newestOf: Statement;
  readonly #parked: Statement;
  readonly #openThreads: Statement;
  readonly #openOfThread: Statement;
  readonly #done: Statement;
  readonly #retryLater: Statement;
  readonly #dead: Statement;
  readonly #revive: Statement;
  readonly #deadRows: Statement;
  readonly #counts: Statement;
  readonly #lastAt: Statement;
  readonly #prune: Statement;
  readonly #forgetBodies: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO inbound (guid, epoch, chat_rowid, thread_id, state, body, backfill, created_at)
      VALUES (@guid, @epoch, @chatRowid, @threadId, @state, @body, @backfill, @now)
      ON CONFLICT (guid) DO NOTHING`);
    this.#known = db.prepare('SELECT 1 FROM inbound WHERE guid = ?').pluck();
    this.#complete = db.prepare(`
      UPDATE inbound SET state = 'pending', thread_id = @threadId, body = @body, backfill = @backfill
      WHERE guid = @guid AND state = 'parked'`);
    this.#byGuid = db.prepare(`SELECT ${COLUMNS} FROM inbound WHERE guid = ?`);
    this.#newestOf = db.prepare(
      'SELECT chat_rowid AS rowid, guid FROM inbound WHERE epoch = ? ORDER BY inbound_id DESC LIMIT ?',
    );
    this.#parked = db.prepare(`SELECT ${COLUMNS} FROM inbound WHERE state = 'parked' ORDER BY inbound_id LIMIT ?`);
    this.#openThreads = db
      .prepare(`SELECT DISTINCT thread_id FROM inbound WHERE state IN ('parked', 'pending') AND thread_id IS NOT NULL`)
      .pluck();
    this.#openOfThread = db.prepare(`
      SELECT ${COLUMNS} FROM inbound WHERE thread_id = ? AND state IN ('parked', 'pending') AND inbound_id > ?
      ORDER BY inbound_id LIMIT ?`);
    this.#done = db.prepare(`
      UPDATE inbound SET state = 'done', done_at = @now, next_attempt_at = NULL, error_code = NULL, error_detail = NULL
      WHERE guid = @guid AND state <> 'done'`);
    this.#retryLater = db.prepare(`
      UPDATE inbound SET attempts = attempts + 1, next_attempt_at = @nextAttemptAt, error_code = @code,
        error_detail = @detail WHERE guid = @guid`);
    this.#dead = db.prepare(`
      UPDATE inbound SET state = 'dead', attempts = attempts + 1, next_attempt_at = NULL, error_code = @code,
        error_detail = @detail WHERE guid = @guid`);
    this.#revive = db.prepare(`
      UPDATE inbound SET state = 'pending', attempts = 0, next_attempt_at = NULL WHERE guid = ? AND state = 'dead'`);
    this.#deadRows = db.prepare(`SELECT ${COLUMNS} FROM inbound WHERE state = 'dead' ORDER BY inbound_id LIMIT ?`);
    this.#counts = db.prepare(`
      SELECT (SELECT count(*) FROM inbound WHERE state = 'parked') AS parked,
        (SELECT count(*) FROM inbound WHERE state = 'pending') AS pending,
        (SELECT count(*) FROM inbound WHERE state = 'dead') AS dead`);
    this.#lastAt = db.prepare('SELECT created_at FROM inbound ORDER BY inbound_id DESC LIMIT 1').pluck();
    this.#forgetBodies = db.prepare(`
      UPDATE inbound SET body = NULL WHERE inbound_id IN (
        SELECT inbound_id FROM inbound WHERE state = 'done' AND done_at < ? AND body IS NOT NULL LIMIT ?)`);
    this.#prune = db.prepare(`
      DELETE FROM inbound WHERE inbound_id IN (
        SELECT inbound_id FROM inbound WHERE state = 'done' AND done_at < ? LIMIT ?)`);
  }

  /** False when the guid was known: nothing is written then. */
  insert(row: NewInbound): boolean {
    const { body, backfill, ...rest } = row;
    const state = body ? 'pending' : 'parked';
    return (
      this.#insert.run({ ...rest, state, body: body ? JSON.stringify(body) : null, backfill: backfill ? 1 : 0 })
        .changes === 1
    );
  }

  knows(guid: string): boolean {
    return this.#known.get(guid) !== undefined;
  }

  byGuid(guid: string): InboundRow | undefined {
    return this.#byGuid.get(guid) as InboundRow | undefined;
  }

  /** Where the newest rows of an epoch stood in chat.db, newest first. */
  newestOf(epoch: number, limit: number): { rowid: number; guid: string }[] {
    return this.#newestOf.all(epoch, limit) as { rowid: number; guid: string }[];
  }

  parked(limit: number): InboundRow[] {
    return this.#parked.all(limit) as InboundRow[];
  }

  /** A parked row is whole now and may be posted. */
  complete(guid: string, threadId: string, body: MessageRequest, backfill: boolean): void {
    this.#complete.run({ guid, threadId, body: JSON.stringify(body), backfill: backfill ? 1 : 0 });
  }

  /** Threads with rows that are not done. */
  openThreads(): string[] {
    return this.#openThreads.all() as string[];
  }

  /** Open rows of a thread past `afterInboundId`, in order. */
  openOf(threadId: string, afterInboundId: number, limit: number): InboundRow[] {
    return this.#openOfThread.all(threadId, afterInboundId, limit) as InboundRow[];
  }

  markDone(guid: string, now: number): void {
    this.#done.run({ guid, now });
  }

  markRetry(guid: string, nextAttemptAt: number, code: ErrorCode, detail: string): void {
    this.#retryLater.run({ guid, nextAttemptAt, code, detail });
  }

  markDead(guid: string, code: ErrorCode, detail: string): void {
    this.#dead.run({ guid, code, detail });
  }

  /** Puts a dead letter back in the queue; false when there is none of that guid. */
  revive(guid: string): boolean {
    return this.#revive.run(guid).changes === 1;
  }

  deadLetters(limit: number): InboundRow[] {
    return this.#deadRows.all(limit) as InboundRow[];
  }

  /** When the newest row was taken in, ms since 1970. */
  lastAt(): number | undefined {
    return this.#lastAt.get() as number | undefined;
  }

  counts(): { parked: number; pending: number; dead: number } {
    return this.#counts.get() as { parked: number; pending: number; dead: number };
  }

  /** Drops texts of rows done before `bodiesBefore` and whole rows done before `rowsBefore`, at most `limit` each. */
  prune(bodiesBefore: number, rowsBefore: number, limit: number): number {
    return this.#forgetBodies.run(bodiesBefore, limit).changes + this.#prune.run(rowsBefore, limit).changes;
  }
}
