import type { Database, Statement } from 'better-sqlite3';
import type { ErrorCode } from '../util/errors.ts';
import { SEND_COLUMNS as COLUMNS, type NewSend, type SendRow, type SendState } from './SendRow.ts';

const DAY_MS = 86_400_000;
/** Not final. In these words, for partial indexes are made of them. */
export const OPEN = `state IN ('held', 'queued', 'sending', 'accepted')`;

/** Bubbles on their way out, in an order per thread. */
export class Sends {
  readonly #db: Database;
  readonly #cache = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Prepared once per text. */
  #sql(text: string): Statement {
    let statement = this.#cache.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#cache.set(text, statement);
    }
    return statement;
  }

  /** Inserts the row, or returns the one that has its key already. */
  insert(send: NewSend): SendRow {
    const inserted = this.#sql(`
      INSERT INTO sends (key, thread_id, group_key, answers_id, position, bubble_index, text, bubble_type, immediate,
        state, waits_for, reflex_command_id, command_id, not_before_at, finished_at, part_of, file_id, schedule_id, created_at)
      VALUES (@key, @threadId, @groupKey, @answersId, @position, @bubbleIndex, @text, @bubbleType, @immediate,
        @state, @waitsFor, @reflexCommandId, @commandId, @notBeforeAt, @finishedAt, @partOf, @fileId, @scheduleId, @now)
      ON CONFLICT (key) DO NOTHING
      RETURNING ${COLUMNS}`).get({
      key: send.key,
      threadId: send.threadId,
      groupKey: send.groupKey ?? send.key,
      answersId: send.answersId ?? null,
      position: send.position ?? this.lastPosition(send.threadId) + 1,
      bubbleIndex: send.bubbleIndex ?? 0,
      text: send.text,
      bubbleType: send.bubbleType,
      immediate: send.immediate ? 1 : 0,
      state: send.state ?? 'queued',
      waitsFor: send.waitsFor ?? null,
      reflexCommandId: send.reflexCommandId ?? null,
      commandId: send.commandId ?? null,
      notBeforeAt: send.notBeforeAt ?? null,
      partOf: send.partOf ?? null,
      fileId: send.fileId ?? null,
      scheduleId: send.scheduleId ?? null,
      finishedAt: send.state === 'superseded' ? send.now : null,
      now: send.now,
    }) as SendRow | undefined;
    return inserted ?? this.byKey(send.key)!;
  }

  byId(sendId: number): SendRow | undefined {
    return this.#sql(`SELECT ${COLUMNS} FROM sends WHERE send_id = ?`).get(sendId) as SendRow | undefined;
  }

  byKey(key: string): SendRow | undefined {
    return this.#sql(`SELECT ${COLUMNS} FROM sends WHERE key = ?`).get(key) as SendRow | undefined;
  }

  /** The answer bubble that was taken to be the same as this reflex command. */
  byReflexCommand(commandId: string): SendRow | undefined {
    return this.#sql(`SELECT ${COLUMNS} FROM sends WHERE reflex_command_id = ?`).get(commandId) as SendRow | undefined;
  }

  byGroup(groupKey: string): SendRow[] {
    return this.#sql(`SELECT ${COLUMNS} FROM sends WHERE group_key = ? ORDER BY bubble_index`).all(
      groupKey,
    ) as SendRow[];
  }

  /** What a text or file became beside its first bubble, in order. */
  partsOf(sendId: number): SendRow[] {
    return this.#sql(`SELECT ${COLUMNS} FROM sends WHERE part_of = ? ORDER BY bubble_index`).all(sendId) as SendRow[];
  }

  /** From the last on: it is the one that stays open longest. */
  hasOpenPart(sendId: number): boolean {
    const sql = `SELECT 1 FROM sends WHERE part_of = ? AND ${OPEN} ORDER BY send_id DESC LIMIT 1`;
    return this.#sql(sql).get(sendId) !== undefined;
  }

  /** Reflexes of a thread, first bubbles, that were created at or after `since`, oldest first. */
  reflexesOf(threadId: string, since: number): SendRow[] {
    return this.#sql(
      `SELECT ${COLUMNS} FROM sends WHERE thread_id = ? AND created_at >= ? AND bubble_type = 'reflex' AND part_of IS NULL
       ORDER BY created_at, send_id`,
    ).all(threadId, since) as SendRow[];
  }

  /** Rows of a thread created at or after `since`, oldest first. */
  recentOf(threadId: string, since: number): SendRow[] {
    return this.#sql(
      `SELECT ${COLUMNS} FROM sends WHERE thread_id = ? AND created_at >= ? ORDER BY created_at, send_id`,
    ).all(threadId, since) as SendRow[];
  }

  /** Threads with sends that are not final. */
  openThreads(): string[] {
    return this.#sql(`SELECT DISTINCT thread_id FROM sends WHERE ${OPEN}`).pluck().all() as string[];
  }

  /** The send whose turn it is in a thread; it may be held, waiting for its time, or in flight. */
  headOf(threadId: string): SendRow | undefined {
    return this.#sql(
      `SELECT ${COLUMNS} FROM sends WHERE thread_id = ? AND ${OPEN} ORDER BY position, bubble_index LIMIT 1`,
    ).get(threadId) as SendRow | undefined;
  }

  /** Open sends of a thread in their order. */
  openOf(threadId: string): SendRow[] {
    return this.#sql(
      `SELECT ${COLUMNS} FROM sends WHERE thread_id = ? AND ${OPEN} ORDER BY position, bubble_index`,
    ).all(threadId) as SendRow[];
  }

  /** Position of the last open group of a thread; 0 when nothing is open. */
  lastPosition(threadId: string): number {
    return this.#sql(`SELECT coalesce(max(position), 0) FROM sends WHERE thread_id = ? AND ${OPEN}`)
      .pluck()
      .get(threadId) as number;
  }

  /** Moves the open groups of a thread from `position` on one back, to make room for a group before them. */
  makeRoomAt(threadId: string, position: number): void {
    this.#sql(`UPDATE sends SET position = position + 1 WHERE thread_id = ? AND ${OPEN} AND position >= ?`).run(
      threadId,
      position,
    );
  }

  inFlight(): SendRow[] {
    return this.#sql(
      `SELECT ${COLUMNS} FROM sends WHERE state IN ('sending', 'accepted') ORDER BY send_id`,
    ).all() as SendRow[];
  }

  /** Sends with a receipt that were not read yet, past the one given, by the time of their receipt. */
  unread(past: { confirmedAt: number; sendId: number }, limit: number): SendRow[] {
    return this.#sql(`
      SELECT ${COLUMNS} FROM sends
      WHERE read_at IS NULL AND receipt_rowid IS NOT NULL AND (confirmed_at, send_id) > (@confirmedAt, @sendId)
        AND state IN ('confirmed', 'delivered') ORDER BY confirmed_at, send_id LIMIT +@limit`).all({
      ...past,
      limit,
    }) as SendRow[];
  }

  /** Those of them with a receipt since then: the latest `limit`, in the order of their receipts. */
  latestUnread(since: number, limit: number): SendRow[] {
    return (
      this.#sql(`
      SELECT ${COLUMNS} FROM sends
      WHERE read_at IS NULL AND receipt_rowid IS NOT NULL AND confirmed_at >= ?
        AND state IN ('confirmed', 'delivered') ORDER BY confirmed_at DESC, send_id DESC LIMIT +?`).all(
        since,
        limit,
      ) as SendRow[]
    ).reverse();
  }

  /** Sends that ended since then and nobody can vouch for: the latest `limit`, in their order. */
  notKnown(since: number, limit: number): SendRow[] {
    return (
      this.#sql(`
      SELECT ${COLUMNS} FROM sends WHERE state = 'unknown' AND finished_at >= ?
      ORDER BY finished_at DESC LIMIT +?`).all(since, limit) as SendRow[]
    ).sort((a, b) => a.sendId - b.sendId);
  }

  /** Sends that were confirmed since then after more than one attempt. */
  confirmedAgain(since: number): SendRow[] {
    return this.#sql(`
      SELECT ${COLUMNS} FROM sends WHERE finished_at >= ? AND attempts > 1 AND state IN ('confirmed', 'delivered')
      ORDER BY finished_at`).all(since) as SendRow[];
  }

  /** Bubbles held back by the outcome of `sendId`. */
  heldBy(sendId: number): SendRow[] {
    return this.#sql(`SELECT ${COLUMNS} FROM sends WHERE waits_for = ? AND state = 'held'`).all(sendId) as SendRow[];
  }

  /** The bubble that is this outgoing file. */
  ofFile(fileId: number): SendRow | undefined {
    return this.#sql(`SELECT ${COLUMNS} FROM sends WHERE file_id = ?`).get(fileId) as SendRow | undefined;
  }

  /** What the bubble waited for is there: it takes its turn. */
  release(sendId: number): void {
    this.#sql(`UPDATE sends SET state = 'queued' WHERE send_id = ? AND state = 'held'`).run(sendId);
  }

  /** The thread's next bubble, if it has not begun, does not begin before `until`. */
  holdNext(threadId: string, until: number): void {
    this.#sql(`
      UPDATE sends SET not_before_at = max(coalesce(not_before_at, 0), @until)
      WHERE state IN ('held', 'queued') AND send_id = (
        SELECT send_id FROM sends WHERE thread_id = @threadId AND ${OPEN} ORDER BY position, bubble_index LIMIT 1)`).run(
      {
        threadId,
        until,
      },
    );
  }

  /**
   * osascript starts next. The watermark of an earlier attempt stays, since what that one wrote may still be found; after
   * a change of chat.db it means nothing. `opensThread`: chat.db has no such chat.
   */
  markSending(sendId: number, watermark: { rowid: number; epoch: number }, now: number, opensThread = false): void {
    this.#sql(`
      UPDATE sends SET state = 'sending', attempts = attempts + 1,
        watermark_rowid = iif((attempts > 0 OR error_code = 'EDGE_SEND_GHOST') AND watermark_epoch = @epoch,
          watermark_rowid, @rowid),
        watermark_epoch = @epoch, sending_at = @now, accepted_at = NULL,
        opens_thread = max(opens_thread, @opens)
      WHERE send_id = @sendId`).run({
      sendId,
      ...watermark,
      now,
      opens: opensThread ? 1 : 0,
    });
  }

  /** When the last osascript was started, ms since 1970. */
  lastBegunAt(): number | undefined {
    const sql = 'SELECT max(sending_at) FROM sends WHERE sending_at IS NOT NULL';
    return (this.#sql(sql).pluck().get() as number | null) ?? undefined;
  }

  markAccepted(sendId: number, now: number): void {
    this.#sql(`UPDATE sends SET state = 'accepted', accepted_at = ? WHERE send_id = ? AND state = 'sending'`).run(
      now,
      sendId,
    );
  }

  /** The receipt was found. False when another send has claimed that row. */
  markConfirmed(sendId: number, receipt: { guid: string; rowid: number }, now: number): boolean {
    if (this.claimed(receipt.guid)) return false;
    this.#sql(`
      UPDATE sends SET state = 'confirmed', receipt_guid = @guid, receipt_rowid = @rowid, confirmed_at = @now,
        finished_at = @now, error_code = NULL, error_detail = NULL WHERE send_id = @sendId`).run({
      sendId,
      ...receipt,
      now,
    });
    return true;
  }

  claimed(receiptGuid: string): boolean {
    return this.#sql('SELECT 1 FROM sends WHERE receipt_guid = ?').get(receiptGuid) !== undefined;
  }

  markDelivered(sendId: number, now: number): void {
    this.#sql(`UPDATE sends SET state = 'delivered', delivered_at = ? WHERE send_id = ? AND state = 'confirmed'`).run(
      now,
      sendId,
    );
  }

  markRead(sendId: number, readAt: number): void {
    this.#sql('UPDATE sends SET read_at = ? WHERE send_id = ? AND read_at IS NULL').run(readAt, sendId);
  }

  /** The receipt has another ROWID: chat.db was rebuilt, or the row was inserted anew. */
  moveReceipt(sendId: number, receiptRowid: number): void {
    this.#sql('UPDATE sends SET receipt_rowid = ? WHERE send_id = ?').run(receiptRowid, sendId);
  }

  /**
   * Back in the queue: nothing was handed over, or no receipt came and one more attempt is allowed. `uncounted` takes
   * the attempt back: nothing of it can have reached Messages.
   */
  requeue(
    sendId: number,
    change: { notBeforeAt?: number; addressForm?: number; uncounted?: boolean; code?: ErrorCode; detail?: string },
  ) {
    this.#sql(`
      UPDATE sends SET state = 'queued', not_before_at = @notBeforeAt, waits_for = NULL,
        attempts = max(0, attempts - @takenBack), address_form = coalesce(@addressForm, address_form), error_code = @code, error_detail = @detail
      WHERE send_id = @sendId`).run({
      sendId,
      notBeforeAt: change.notBeforeAt ?? null,
      addressForm: change.addressForm ?? null,
      takenBack: change.uncounted ? 1 : 0,
      code: change.code ?? null,
      detail: change.detail ?? null,
    });
  }

  /** Refused as iMessage: back in the queue, to go by SMS. The attempts stay counted. */
  requeueBySms(sendId: number, code: ErrorCode, detail: string): void {
    this.#sql(`
      UPDATE sends SET state = 'queued', sms_fallback = 1, address_form = 0, not_before_at = NULL, waits_for = NULL,
        error_code = @code, error_detail = @detail WHERE send_id = @sendId`).run({ sendId, code, detail });
  }

  /** Ends a send without a receipt. */
  finish(sendId: number, state: 'failed' | 'unknown' | 'superseded', now: number, code?: ErrorCode, detail?: string) {
    this.#sql(`
      UPDATE sends SET state = @state, finished_at = @now, error_code = @code, error_detail = @detail
      WHERE send_id = @sendId`).run({ sendId, state, now, code: code ?? null, detail: detail ?? null });
  }

  /** A receipt row that turned out failed keeps its claim, so that no other send takes it for its own. */
  failWithReceipt(
    sendId: number,
    receipt: { guid: string; rowid: number },
    now: number,
    code: ErrorCode,
    detail: string,
  ): void {
    this.#sql(`
      UPDATE sends SET state = 'failed', receipt_guid = @guid, receipt_rowid = @rowid, finished_at = @now,
        error_code = @code, error_detail = @detail WHERE send_id = @sendId`).run({
      sendId,
      ...receipt,
      now,
      code,
      detail,
    });
  }

  linkReflex(sendId: number, reflexCommandId: string): void {
    this.#sql('UPDATE sends SET reflex_command_id = ? WHERE send_id = ?').run(reflexCommandId, sendId);
  }

  /**
   * Automatic answers to a thread in that time, without those that the loop guard stopped: answers with a bubble, and
   * reflex commands that no answer was found to belong to. A time ahead of now means that the wall clock was set back,
   * and that they were made long ago.
   */
  automaticAnswers(threadId: string, { since, now }: { since: number; now: number }): number {
    return this.#sql(`
      SELECT count(DISTINCT group_key) FROM sends AS one
      WHERE thread_id = ? AND created_at > ? AND created_at <= ?
        AND error_code IS NOT 'EDGE_ANSWER_LOOP' AND (
        answers_id IS NOT NULL OR bubble_type = 'reflex' AND command_id IS NOT NULL AND NOT EXISTS (
          SELECT 1 FROM sends WHERE reflex_command_id = one.command_id AND error_code IS NOT 'EDGE_ANSWER_LOOP'))`)
      .pluck()
      .get(threadId, since, now) as number;
  }

  /** Bubbles handed to Messages in that time that no row has given back, oldest first. A bubble waits a day at most. */
  withoutEcho(threadId: string, { since, until }: { since: number; until: number }): SendRow[] {
    return this.#sql(`
      SELECT ${COLUMNS} FROM sends
      WHERE thread_id = ? AND created_at BETWEEN ? AND ? AND sending_at BETWEEN ? AND ? AND echo_guid IS NULL
        AND state IN ('sending', 'accepted', 'confirmed', 'delivered')
      ORDER BY sending_at, send_id`).all(threadId, since - DAY_MS, until, since, until) as SendRow[];
  }

  markEcho(sendId: number, guid: string): void {
    this.#sql('UPDATE sends SET echo_guid = ? WHERE send_id = ?').run(guid, sendId);
  }

  /** How many there are of each state; `lastUnsentAt`: when the last became `failed` or `unknown`, ms since 1970. */
  counts(): Record<SendState, number> & { readonly lastUnsentAt: number | undefined } {
    const open = { held: 0, queued: 0, sending: 0, accepted: 0 };
    const counts = { ...open, confirmed: 0, delivered: 0, failed: 0, unknown: 0, superseded: 0 };
    const rows = this.#sql(`
      SELECT state, count(*) AS n, max(finished_at) AS lastAt FROM sends GROUP BY state`).all() as {
      state: SendState;
      n: number;
      lastAt: number | null;
    }[];
    for (const { state, n } of rows) counts[state] = n;
    const unsent = rows.filter(({ state }) => state === 'failed' || state === 'unknown');
    const lastAt = Math.max(0, ...unsent.map((row) => row.lastAt ?? 0));
    return { ...counts, lastUnsentAt: lastAt || undefined };
  }

  /** Drops texts of rows finished before `textsBefore` and whole rows finished before `rowsBefore`, at most `limit` each. */
  prune(textsBefore: number, rowsBefore: number, limit: number): number {
    const textsDropped = this.#sql(`
      UPDATE sends SET text = '' WHERE send_id IN (
        SELECT send_id FROM sends WHERE finished_at < ? AND text <> '' AND NOT ${OPEN} LIMIT +?)`).run(
      textsBefore,
      limit,
    );
    const rowsDropped = this.#sql(`
      DELETE FROM sends WHERE send_id IN (SELECT send_id FROM sends WHERE finished_at < ? AND NOT ${OPEN} LIMIT +?)`).run(
      rowsBefore,
      limit,
    );
    return textsDropped.changes + rowsDropped.changes;
  }
}
