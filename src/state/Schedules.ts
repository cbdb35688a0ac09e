import type { Database, Statement } from 'better-sqlite3';

/** `pending ──send_at──▶ fired` (a row in sends) or `──cancel_scheduled──▶ cancelled`. */
export type ScheduleState = 'pending' | 'fired' | 'cancelled';

export interface ScheduleRow {
  scheduleId: string;
  threadId: string;
  text: string;
  sendAt: number;
  state: ScheduleState;
  createdAt: number;
  finishedAt: number | null;
}

const COLUMNS = `schedule_id AS scheduleId, thread_id AS threadId, text, send_at AS sendAt, state,
  created_at AS createdAt, finished_at AS finishedAt`;

/** Messages to be sent at a time. */
export class Schedules {
  readonly #insert: Statement;
  readonly #byId: Statement;
  readonly #due: Statement;
  readonly #next: Statement;
  readonly #finish: Statement;
  readonly #list: Statement;
  readonly #pending: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO schedules (schedule_id, thread_id, text, send_at, first_at, state, created_at)
      VALUES (@scheduleId, @threadId, @text, @sendAt, @sendAt, 'pending', @now)`);
    this.#byId = db.prepare(`SELECT ${COLUMNS} FROM schedules WHERE schedule_id = ?`);
    this.#due = db.prepare(
      `SELECT ${COLUMNS} FROM schedules WHERE state = 'pending' AND send_at <= ? ORDER BY send_at, rowid LIMIT ?`,
    );
    this.#next = db.prepare(`SELECT min(send_at) FROM schedules WHERE state = 'pending'`).pluck();
    this.#finish = db.prepare(
      `UPDATE schedules SET state = @state, finished_at = @now WHERE schedule_id = @scheduleId AND state = 'pending'`,
    );
    this.#list = db.prepare(
      `SELECT ${COLUMNS} FROM schedules WHERE @state IS NULL OR state = @state ORDER BY send_at LIMIT @limit`,
    );
    this.#pending = db.prepare(`SELECT count(*) FROM schedules WHERE state = 'pending'`).pluck();
    this.#prune = db.prepare(`
      DELETE FROM schedules WHERE rowid IN (SELECT rowid FROM schedules WHERE finished_at < ? LIMIT ?)`);
  }

  insert(schedule: { scheduleId: string; threadId: string; text: string; sendAt: number; now: number }): void {
    this.#insert.run(schedule);
  }

  byId(scheduleId: string): ScheduleRow | undefined {
    return this.#byId.get(scheduleId) as ScheduleRow | undefined;
  }

  due(now: number, limit: number): ScheduleRow[] {
    return this.#due.all(now, limit) as ScheduleRow[];
  }

  /** When the next one is due, ms since 1970. */
  nextAt(): number | undefined {
    return (this.#next.get() as number | null) ?? undefined;
  }

  /** False when it was not pending any more. */
  finish(scheduleId: string, state: 'fired' | 'cancelled', now: number): boolean {
    return this.#finish.run({ scheduleId, state, now }).changes === 1;
  }

  list(state: ScheduleState | undefined, limit: number): ScheduleRow[] {
    return this.#list.all({ state: state ?? null, limit }) as ScheduleRow[];
  }

  pendingCount(): number {
    return this.#pending.get() as number;
  }

  prune(finishedBefore: number, limit: number): number {
    return this.#prune.run(finishedBefore, limit).changes;
  }
}
