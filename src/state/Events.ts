import type { Database, Statement } from 'better-sqlite3';
import type { EdgeEvent } from '../protocol/wire.ts';

/** Events kept for a backend that does not take them, which may have no /edge/sync at all: some 30 MB. */
const KEPT_EVENTS = 100_000;

interface WaitingRow {
  eventId: string;
  eventType: EdgeEvent['event_type'];
  threadId: string | null;
  details: string;
}

/** Told now: not acknowledged, and not about a message that is still on its way to the backend. */
const WAITING = `FROM events e WHERE e.acked_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM inbound i WHERE i.guid = e.about_guid AND i.state IN ('parked', 'pending'))`;

/**
 * Things that happened on the Mac, told until the backend names their id in `ack_events`. The rows outlive that, because
 * an event_id that is known is what keeps a thing from being told twice.
 */
export class Events {
  readonly #insert: Statement;
  readonly #waiting: Statement;
  readonly #ack: Statement;
  readonly #forgetAbout: Statement;
  readonly #count: Statement;
  readonly #open: Statement;
  readonly #any: Statement;
  readonly #forgetDetails: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO events (event_id, event_type, thread_id, details, about_guid, created_at)
      VALUES (@eventId, @eventType, @threadId, @details, @aboutGuid, @now) ON CONFLICT (event_id) DO NOTHING`);
    this.#waiting = db.prepare(`
      SELECT e.event_id AS eventId, e.event_type AS eventType, e.thread_id AS threadId, e.details ${WAITING}
      ORDER BY e.event_seq LIMIT +?`);
    this.#ack = db.prepare('UPDATE events SET acked_at = ? WHERE event_id = ? AND acked_at IS NULL');
    this.#forgetAbout = db.prepare('DELETE FROM events AS e WHERE e.about_guid = ? AND e.acked_at IS NULL');
    this.#count = db.prepare(`SELECT count(*) ${WAITING}`).pluck();
    this.#open = db.prepare('SELECT count(*) FROM events e WHERE e.acked_at IS NULL').pluck();
    this.#any = db.prepare(`SELECT EXISTS (SELECT 1 ${WAITING})`).pluck();
    this.#forgetDetails = db.prepare(`
      UPDATE events SET details = '{}' WHERE event_seq IN (
        SELECT event_seq FROM events WHERE acked_at < ? AND details <> '{}' LIMIT +?)`);
    this.#prune = db.prepare(`
      DELETE FROM events WHERE event_seq IN (
        SELECT event_seq FROM events
        WHERE acked_at < ? OR event_seq <= (SELECT max(event_seq) FROM events) - ${KEPT_EVENTS} LIMIT +?)`);
  }

  /**
   * False when the event_id was known: one thing is told once. `aboutGuid` names the inbound message it is about: the
   * backend hears of that first.
   */
  insert(event: EdgeEvent, now: number, aboutGuid?: string): boolean {
    return (
      this.#insert.run({
        eventId: event.event_id,
        eventType: event.event_type,
        threadId: event.thread_id ?? null,
        details: JSON.stringify(event.details),
        aboutGuid: aboutGuid ?? null,
        now,
      }).changes === 1
    );
  }

  /** The first `limit` at most, and no more than `maxBytes` of details, but one at least. */
  waiting(limit: number, maxBytes = Number.POSITIVE_INFINITY): EdgeEvent[] {
    const rows: WaitingRow[] = [];
    let left = maxBytes;
    for (const row of this.#waiting.iterate(limit) as IterableIterator<WaitingRow>) {
      left -= Buffer.byteLength(row.details);
      if (left < 0 && rows.length > 0) break;
      rows.push(row);
    }
    return rows.map((row) => ({
      event_id: row.eventId,
      event_type: row.eventType,
      ...(row.threadId === null ? {} : { thread_id: row.threadId }),
      details: JSON.parse(row.details) as Record<string, unknown>,
    }));
  }

  ack(eventId: string, now: number): void {
    this.#ack.run(now, eventId);
  }

  /** Its message is not told of: neither is what was to be told behind it. */
  forgetAbout(guid: string): void {
    this.#forgetAbout.run(guid);
  }

  hasWaiting(): boolean {
    return this.#any.get() === 1;
  }

  waitingCount(): number {
    return this.#count.get() as number;
  }

  /** Not acknowledged, and not told before the message they are about. */
  heldCount(): number {
    return (this.#open.get() as number) - this.waitingCount();
  }

  /** Drops details acknowledged before `detailsBefore` and whole rows acknowledged before `rowsBefore`, at most `limit` each. */
  prune(detailsBefore: number, rowsBefore: number, limit: number): number {
    return this.#forgetDetails.run(detailsBefore, limit).changes + this.#prune.run(rowsBefore, limit).changes;
  }
}
