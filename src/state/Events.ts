import type { Database, Statement } from 'better-sqlite3';
import type { EdgeEvent } from '../protocol/wire.ts';

/** Events kept for a backend that does not take them, which may have no /edge/sync at all: some 30 MB. */
const KEPT_EVENTS = 100_000;

/** Things that happened on the Mac, kept until the backend names their id in `ack_events`. */
export class Events {
  readonly #insert: Statement;
  readonly #waiting: Statement;
  readonly #ack: Statement;
  readonly #count: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO events (event_id, event_type, thread_id, details, about_guid, created_at)
      VALUES (@eventId, @eventType, @threadId, @details, @aboutGuid, @now) ON CONFLICT (event_id) DO NOTHING`);
    this.#waiting = db.prepare(`
      SELECT event_id AS eventId, event_type AS eventType, thread_id AS threadId, details FROM events
      WHERE acked_at IS NULL ORDER BY event_seq LIMIT ?`);
    this.#ack = db.prepare('UPDATE events SET acked_at = ? WHERE event_id = ? AND acked_at IS NULL');
    this.#count = db.prepare('SELECT count(*) FROM events WHERE acked_at IS NULL').pluck();
    this.#prune = db.prepare(`
      DELETE FROM events WHERE event_seq IN (
        SELECT event_seq FROM events
        WHERE acked_at < ? OR event_seq <= (SELECT max(event_seq) FROM events) - ${KEPT_EVENTS} LIMIT ?)`);
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

  waiting(limit: number): EdgeEvent[] {
    const rows = this.#waiting.all(limit) as {
      eventId: string;
      eventType: EdgeEvent['event_type'];
      threadId: string | null;
      details: string;
    }[];
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

  waitingCount(): number {
    return this.#count.get() as number;
  }

  prune(ackedBefore: number, limit: number): number {
    return this.#prune.run(ackedBefore, limit).changes;
  }
}
