import type { Database, Statement } from 'better-sqlite3';
import type { MessageRequest } from '../protocol/wire.ts';
import type { ErrorCode } from '../util/errors.ts';

/**
 * ```
 * parked ──row complete──▶ pending ──2xx or 409──▶ done
 *   │                        │  ▲
 *   ├─skipped─▶ done  4xx    ▼  │ edge-agent retry
 *   └─lost from chat.db ───▶ dead (edge-agent retry parks it again)
 *                            dead ──edge-agent drop──▶ done, skipped
 * ```
 * A pending row with `nextAttemptAt` is being retried; there is no durable "posting": after a crash it is posted
 * again under the same key. A row that is done and `skipped` was never handed over.
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
  /** Parked until it is known whether it came alone or in a block; it counts as backfill meanwhile. */
  undecided: 0 | 1;
  messageAt: number | null;
  skipped: string | null;
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
  /** Undefined parks the row until it is complete, or makes it done where it is skipped. */
  body: MessageRequest | undefined;
  backfill: boolean;
  undecided?: boolean;
  /** When it was written, ms since 1970. */
  messageAt?: number | undefined;
  fingerprint?: string | undefined;
  /** Why it is not handed over. */
  skipped?: string;
  now: number;
}

/** What is known of a parked row once it is whole. */
export interface CompleteRow {
  threadId: string;
  body: MessageRequest;
  backfill: boolean;
  messageAt?: number | undefined;
  fingerprint?: string | undefined;
}

type InboundCounts = Record<'parked' | 'undecided' | 'pending' | 'backfill' | 'dead', number>;

/** `skipped` of a dead letter that somebody gave up. */
const DROPPED = 'dropped by hand';

const COLUMNS = `inbound_id AS inboundId, guid, epoch, chat_rowid AS chatRowid, thread_id AS threadId, state, body,
  backfill, undecided, message_at AS messageAt, skipped, attempts, next_attempt_at AS nextAttemptAt,
  error_code AS errorCode, error_detail AS errorDetail, created_at AS createdAt, done_at AS doneAt`;

/** The conditions of the two indexes on open rows, word for word: SQLite uses a partial index for nothing else. */
const OPEN_LIVE = `state IN ('parked', 'pending') AND backfill = 0`;
const OPEN_BACKFILL = `state IN ('parked', 'pending') AND backfill = 1`;

/** One seek a thread, where DISTINCT would read every open row. */
const threadsWith = (condition: string) => `
  WITH RECURSIVE open (thread) AS (
    SELECT min(thread_id) FROM inbound WHERE ${condition}
    UNION ALL
    SELECT (SELECT min(thread_id) FROM inbound WHERE ${condition} AND thread_id > thread) FROM open WHERE thread IS NOT NULL)
  SELECT thread FROM open WHERE thread IS NOT NULL`;

export const INBOUND_QUERIES = {
  known: 'SELECT guid FROM inbound WHERE guid IN (SELECT value FROM json_each(?))',
  byGuid: `SELECT ${COLUMNS} FROM inbound WHERE guid = ?`,
  firstWith: `SELECT created_at FROM inbound WHERE fingerprint = ? AND guid <> ? AND skipped IS NOT 'duplicate'
    ORDER BY inbound_id LIMIT 1`,
  // `;` is the character after `:`.
  startsWith: `SELECT 1 FROM inbound WHERE fingerprint >= ? || ':' AND fingerprint < ? || ';' AND guid <> ?
    AND skipped IS NOT 'duplicate' LIMIT 1`,
  wasUnsent: `SELECT 1 FROM inbound WHERE fingerprint >= ? || ':' AND fingerprint < ? || ';' AND guid <> ?
    AND skipped = 'unsent' LIMIT 1`,
  fingerprints: `SELECT fingerprint FROM inbound
    WHERE fingerprint IS NOT NULL AND fingerprint IN (SELECT value FROM json_each(?))`,
  parked: `SELECT ${COLUMNS} FROM inbound WHERE state = 'parked' AND inbound_id > ? ORDER BY inbound_id LIMIT +?`,
  undecided: `SELECT ${COLUMNS} FROM inbound WHERE undecided = 1 ORDER BY inbound_id LIMIT +?`,
  openThreads: threadsWith(OPEN_LIVE),
  backfillThreads: threadsWith(OPEN_BACKFILL),
  hasBackfill: `SELECT 1 FROM inbound WHERE ${OPEN_BACKFILL} LIMIT 1`,
  openOf: `SELECT ${COLUMNS} FROM inbound WHERE thread_id = ? AND ${OPEN_LIVE} AND inbound_id > ?
    ORDER BY inbound_id LIMIT +?`,
  backfillOf: `SELECT ${COLUMNS} FROM inbound WHERE thread_id = ? AND ${OPEN_BACKFILL}
    ORDER BY message_at, inbound_id LIMIT +?`,
  counts: `SELECT parked, undecided, live + old - parked AS pending, old - parkedOld AS backfill, dead FROM (
    SELECT (SELECT count(*) FROM inbound WHERE state = 'parked') AS parked,
      (SELECT count(*) FROM inbound WHERE state = 'parked' AND backfill = 1) AS parkedOld,
      (SELECT count(*) FROM inbound WHERE undecided = 1) AS undecided,
      (SELECT count(*) FROM inbound WHERE ${OPEN_LIVE}) AS live,
      (SELECT count(*) FROM inbound WHERE ${OPEN_BACKFILL}) AS old,
      (SELECT count(*) FROM inbound WHERE state = 'dead') AS dead)`,
  decideAll: 'UPDATE inbound SET undecided = 0 WHERE undecided = 1',
} as const;

type Queries = { readonly [name in keyof typeof INBOUND_QUERIES]: Statement<unknown[]> };

/** Messages that came in: each guid once, for ever as far as retention goes. */
export class Inbound {
  readonly #insert: Statement;
  readonly #queries: Queries;
  readonly #complete: Statement;
  readonly #skip: Statement;
  readonly #standIn: Statement;
  readonly #decideLive: Statement;
  readonly #newestOf: Statement;
  readonly #done: Statement;
  readonly #retryLater: Statement;
  readonly #dead: Statement;
  readonly #revive: Statement;
  readonly #drop: Statement;
  readonly #deadRows: Statement;
  readonly #droppedRows: Statement;
  readonly #lastAt: Statement;
  readonly #messageAt: Statement;
  readonly #prune: Statement;
  readonly #forgetBodies: Statement;

  constructor(db: Database) {
    // By position: names cost more than the rest of the binding on the way in of a large block.
    this.#insert = db.prepare(`
      INSERT INTO inbound (guid, epoch, chat_rowid, thread_id, state, body, backfill, undecided, message_at, fingerprint,
        skipped, created_at, done_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (guid) DO NOTHING`);
    const prepared = Object.entries(INBOUND_QUERIES).map(([name, sql]) => [name, db.prepare(sql)]);
    this.#queries = Object.fromEntries(prepared) as Queries;
    this.#complete = db.prepare(`
      UPDATE inbound SET state = 'pending', thread_id = @threadId, body = @body, backfill = @backfill, undecided = 0,
        message_at = coalesce(@messageAt, message_at), fingerprint = coalesce(@fingerprint, fingerprint)
      WHERE guid = @guid AND state = 'parked'`);
    this.#skip = db.prepare(`
      UPDATE inbound SET state = 'done', done_at = @now, skipped = @reason, undecided = 0,
        fingerprint = coalesce(@fingerprint, fingerprint)
      WHERE guid = @guid AND state = 'parked'`);
    this.#standIn = db.prepare(`
      UPDATE inbound AS copy SET state = 'parked', skipped = NULL, done_at = NULL, backfill = lost.backfill AND NOT lost.undecided
      FROM inbound AS lost WHERE lost.guid = ? AND copy.inbound_id = (
        SELECT inbound_id FROM inbound WHERE fingerprint = lost.fingerprint AND skipped = 'duplicate'
        ORDER BY inbound_id LIMIT 1)`);
    this.#decideLive = db.prepare('UPDATE inbound SET undecided = 0, backfill = 0 WHERE guid = ?');
    this.#newestOf = db.prepare(
      'SELECT chat_rowid AS rowid, guid FROM inbound WHERE epoch = ? ORDER BY inbound_id DESC LIMIT +?',
    );
    this.#done = db.prepare(`
      UPDATE inbound SET state = 'done', done_at = @now, next_attempt_at = NULL, error_code = NULL, error_detail = NULL
      WHERE guid = @guid AND state <> 'done'`);
    this.#retryLater = db.prepare(`
      UPDATE inbound SET attempts = attempts + 1, next_attempt_at = @nextAttemptAt, error_code = @code,
        error_detail = @detail WHERE guid = @guid`);
    this.#dead = db.prepare(`
      UPDATE inbound SET state = 'dead', attempts = attempts + 1, next_attempt_at = NULL, error_code = @code,
        error_detail = @detail, undecided = 0, fingerprint = CASE WHEN body IS NULL THEN NULL ELSE fingerprint END
      WHERE guid = @guid`);
    this.#revive = db.prepare(`
      UPDATE inbound SET state = CASE WHEN body IS NULL THEN 'parked' ELSE 'pending' END, attempts = 0,
        next_attempt_at = NULL WHERE guid = ? AND state = 'dead'`);
    this.#drop = db.prepare(`
      UPDATE inbound SET state = 'done', done_at = ?, skipped = '${DROPPED}' WHERE guid = ? AND state = 'dead'`);
    this.#droppedRows = db.prepare(`
      SELECT ${COLUMNS} FROM inbound WHERE state = 'done' AND skipped = '${DROPPED}' AND inbound_id > ?
      ORDER BY inbound_id LIMIT +?`);
    this.#deadRows = db.prepare(
      `SELECT ${COLUMNS} FROM inbound WHERE state = 'dead' AND inbound_id > ? ORDER BY inbound_id LIMIT +?`,
    );
    this.#lastAt = db.prepare('SELECT created_at FROM inbound ORDER BY inbound_id DESC LIMIT 1').pluck();
    this.#messageAt = db.prepare('SELECT message_at FROM inbound WHERE inbound_id = ?').pluck();
    this.#forgetBodies = db.prepare(`
      UPDATE inbound SET body = NULL WHERE inbound_id IN (
        SELECT inbound_id FROM inbound WHERE state = 'done' AND done_at < ? AND body IS NOT NULL LIMIT +?)`);
    this.#prune = db.prepare(`
      DELETE FROM inbound WHERE inbound_id IN (
        SELECT inbound_id FROM inbound WHERE state = 'done' AND done_at < ? LIMIT +?)`);
  }

  /** False when the guid was known: nothing is written then. */
  insert(row: NewInbound): boolean {
    const { body, skipped, now } = row;
    const state: InboundState = skipped !== undefined ? 'done' : body ? 'pending' : 'parked';
    const { changes } = this.#insert.run(
      row.guid,
      row.epoch,
      row.chatRowid,
      row.threadId,
      state,
      body ? JSON.stringify(body) : null,
      row.backfill ? 1 : 0,
      row.undecided ? 1 : 0,
      row.messageAt ?? null,
      row.fingerprint ?? null,
      skipped ?? null,
      now,
      skipped === undefined ? null : now,
    );
    return changes === 1;
  }

  knows(guid: string): boolean {
    return this.knownOf([guid]).size === 1;
  }

  /** Those of the guids that were taken in before. */
  knownOf(guids: readonly string[]): Set<string> {
    return new Set(this.#queries.known.pluck().all(JSON.stringify(guids)) as string[]);
  }

  /** Those of the fingerprints that some row has. */
  fingerprintsOf(fingerprints: readonly string[]): Set<string> {
    return new Set(this.#queries.fingerprints.pluck().all(JSON.stringify(fingerprints)) as string[]);
  }

  /** When the first row of this fingerprint that is not `guid` was taken in, ms since 1970; a duplicate says nothing. */
  firstWith(fingerprint: string, guid: string): number | undefined {
    return this.#queries.firstWith.pluck().get(fingerprint, guid) as number | undefined;
  }

  /** Whether a row that is not `guid` has a fingerprint that begins with these parts. Duplicates are not asked. */
  startsWith(start: string, guid: string): boolean {
    return this.#queries.startsWith.get(start, start, guid) !== undefined;
  }

  /** Whether a row that is not `guid`, whose fingerprint begins with these parts, was unsent before it was read. */
  wasUnsent(start: string, guid: string): boolean {
    return this.#queries.wasUnsent.get(start, start, guid) !== undefined;
  }

  byGuid(guid: string): InboundRow | undefined {
    return this.#queries.byGuid.get(guid) as InboundRow | undefined;
  }

  /** Where the newest rows of an epoch stood in chat.db, newest first. */
  newestOf(epoch: number, limit: number): { rowid: number; guid: string }[] {
    return this.#newestOf.all(epoch, limit) as { rowid: number; guid: string }[];
  }

  /** Parked rows past `afterInboundId`, in order. */
  parked(afterInboundId: number, limit: number): InboundRow[] {
    return this.#queries.parked.all(afterInboundId, limit) as InboundRow[];
  }

  undecided(limit: number): InboundRow[] {
    return this.#queries.undecided.all(limit) as InboundRow[];
  }

  /** A parked row is whole now and may be posted. */
  complete(guid: string, row: CompleteRow): void {
    const { threadId, body, backfill, messageAt = null, fingerprint = null } = row;
    const json = JSON.stringify(body);
    this.#complete.run({ guid, threadId, body: json, backfill: backfill ? 1 : 0, messageAt, fingerprint });
  }

  /** A parked row is not handed over. */
  skip(guid: string, reason: string, now: number, fingerprint?: string): void {
    this.#skip.run({ guid, reason, now, fingerprint: fingerprint ?? null });
  }

  /** The first duplicate of a row that is lost is parked in its place; false when there is none. */
  standIn(guid: string): boolean {
    return this.#standIn.run(guid).changes === 1;
  }

  /** It came alone. */
  decideLive(guid: string): void {
    this.#decideLive.run(guid);
  }

  /** All undecided rows came in a block; how many there were. */
  decideBackfill(): number {
    return this.#queries.decideAll.run().changes;
  }

  /** Threads with live rows that are not done. */
  openThreads(): string[] {
    return this.#queries.openThreads.pluck().all() as string[];
  }

  /** Threads with backfill that is not done. */
  backfillThreads(): string[] {
    return this.#queries.backfillThreads.pluck().all() as string[];
  }

  hasBackfill(): boolean {
    return this.#queries.hasBackfill.get() !== undefined;
  }

  /** Open live rows of a thread past `afterInboundId`, in order. */
  openOf(threadId: string, afterInboundId: number, limit: number): InboundRow[] {
    return this.#queries.openOf.all(threadId, afterInboundId, limit) as InboundRow[];
  }

  /** Open backfill of a thread, oldest message first. */
  backfillOf(threadId: string, limit: number): InboundRow[] {
    return this.#queries.backfillOf.all(threadId, limit) as InboundRow[];
  }

  markDone(guid: string, now: number): void {
    this.#done.run({ guid, now });
  }

  markRetry(guid: string, nextAttemptAt: number, code: ErrorCode, detail: string): void {
    this.#retryLater.run({ guid, nextAttemptAt, code, detail });
  }

  /** What has no body was never whole: when it is inserted again, it is no duplicate. */
  markDead(guid: string, code: ErrorCode, detail: string): void {
    this.#dead.run({ guid, code, detail });
  }

  /** Puts a dead letter back in the queue, or in the park where it was never whole; false when there is none of that guid. */
  revive(guid: string): boolean {
    return this.#revive.run(guid).changes === 1;
  }

  /** Gives a dead letter up; what was wrong with it stays in the row. False when there is none of that guid. */
  drop(guid: string, now: number): boolean {
    return this.#drop.run(now, guid).changes === 1;
  }

  /** Past `afterInboundId`, in order. */
  deadLetters(limit: number, afterInboundId = 0): InboundRow[] {
    return this.#deadRows.all(afterInboundId, limit) as InboundRow[];
  }

  /** Dead letters that were dropped by hand, `doneAt` says when; past `afterInboundId`, in order. */
  droppedLetters(limit: number, afterInboundId = 0): InboundRow[] {
    return this.#droppedRows.all(afterInboundId, limit) as InboundRow[];
  }

  /** When the newest row was taken in, ms since 1970. */
  lastAt(): number | undefined {
    return this.#lastAt.get() as number | undefined;
  }

  /** When a message was written, ms since 1970; undefined when its row does not say, or is gone. */
  messageAt(inboundId: number): number | undefined {
    return (this.#messageAt.get(inboundId) as number | null | undefined) ?? undefined;
  }

  /** `undecided` are among the parked, `backfill` among the pending. */
  counts(): InboundCounts {
    return this.#queries.counts.get() as InboundCounts;
  }

  /** Drops texts of rows done before `bodiesBefore` and whole rows done before `rowsBefore`, at most `limit` each. */
  prune(bodiesBefore: number, rowsBefore: number, limit: number): number {
    return this.#forgetBodies.run(bodiesBefore, limit).changes + this.#prune.run(rowsBefore, limit).changes;
  }
}
