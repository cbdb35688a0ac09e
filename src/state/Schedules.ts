import type { Database, Statement } from 'better-sqlite3';

/**
 * ```
 * pending ──send_at──▶ fired        (a row in sends; a recurrence stays pending until its last occurrence)
 *    │  └──too late──▶ expired
 *    └──cancelled──▶ cancelled
 * ```
 */
export type ScheduleState = 'pending' | 'fired' | 'cancelled' | 'expired';

export interface ScheduleRow {
  scheduleId: string;
  threadId: string;
  /** '' after retention. */
  text: string;
  /** When it is due, or its next occurrence is. */
  sendAt: number;
  state: ScheduleState;
  /** NULL: once. */
  rrule: string | null;
  timeZone: string | null;
  /** The send_at it came with: DTSTART of the rule. */
  firstAt: number;
  /** Those that are no more to come: sent or passed over. */
  occurrences: number;
  createdAt: number;
  finishedAt: number | null;
}

export interface NewSchedule {
  scheduleId: string;
  threadId: string;
  text: string;
  sendAt: number;
  now: number;
  /** `occurrences`: gone by before `sendAt`. */
  recurrence?: { rrule: string; timeZone: string; firstAt: number; occurrences: number };
}

const COLUMNS = `schedule_id AS scheduleId, thread_id AS threadId, text, send_at AS sendAt, state, rrule,
  time_zone AS timeZone, first_at AS firstAt, occurrences, created_at AS createdAt, finished_at AS finishedAt`;

/** Messages to be sent at a time. */
export class Schedules {
  readonly #insert: Statement;
  readonly #byId: Statement;
  readonly #due: Statement;
  readonly #next: Statement;
  readonly #step: Statement;
  readonly #finish: Statement;
  readonly #list: Statement;
  readonly #pending: Statement;
  readonly #forgetTexts: Statement;
  readonly #prune: Statement;

  constructor(db: Database) {
    this.#insert = db.prepare(`
      INSERT INTO schedules (schedule_id, thread_id, text, send_at, state, rrule, time_zone, first_at, occurrences, created_at)
      VALUES (@scheduleId, @threadId, @text, @sendAt, 'pending', @rrule, @timeZone, @firstAt, @occurrences, @now)`);
    this.#byId = db.prepare(`SELECT ${COLUMNS} FROM schedules WHERE schedule_id = ?`);
    this.#due = db.prepare(
      `SELECT ${COLUMNS} FROM schedules WHERE state = 'pending' AND send_at <= ? ORDER BY send_at, rowid LIMIT +?`,
    );
    this.#next = db.prepare(`SELECT min(send_at) FROM schedules WHERE state = 'pending'`).pluck();
    this.#step = db.prepare(
      `UPDATE schedules SET send_at = @nextAt, occurrences = @occurrences WHERE schedule_id = @scheduleId AND state = 'pending'`,
    );
    this.#finish = db.prepare(
      `UPDATE schedules SET state = @state, finished_at = @now WHERE schedule_id = @scheduleId AND state = 'pending'`,
    );
    this.#list = db
      .prepare(
        `SELECT schedule_id FROM schedules WHERE @state IS NULL OR state = @state ORDER BY send_at, rowid LIMIT +@limit`,
      )
      .pluck();
    this.#pending = db.prepare(`SELECT count(*) FROM schedules WHERE state = 'pending'`).pluck();
    this.#forgetTexts = db.prepare(`
      UPDATE schedules SET text = '' WHERE rowid IN (
        SELECT rowid FROM schedules WHERE finished_at < ? AND text <> '' LIMIT +?)`);
    this.#prune = db.prepare(`
      DELETE FROM schedules WHERE rowid IN (SELECT rowid FROM schedules WHERE finished_at < ? LIMIT +?)`);
  }

  insert({ recurrence, ...schedule }: NewSchedule): void {
    const once = { rrule: null, timeZone: null, firstAt: schedule.sendAt, occurrences: 0 };
    this.#insert.run({ ...schedule, ...(recurrence ?? once) });
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

  /** A recurrence goes on at `nextAt`. */
  step(scheduleId: string, nextAt: number, occurrences: number): void {
    this.#step.run({ scheduleId, nextAt, occurrences });
  }

  /** False when it was not pending any more. */
  finish(scheduleId: string, state: Exclude<ScheduleState, 'pending'>, now: number): boolean {
    return this.#finish.run({ scheduleId, state, now }).changes === 1;
  }

  /** By `sendAt`, each read when it is asked for: together their texts may be a GB. */
  *list(state: ScheduleState | undefined, limit: number): Generator<ScheduleRow, void> {
    for (const scheduleId of this.#list.all({ state: state ?? null, limit }) as string[]) {
      const row = this.byId(scheduleId);
      if (row) yield row;
    }
  }

  pendingCount(): number {
    return this.#pending.get() as number;
  }

  /** Drops texts of those finished before `textsBefore` and whole rows finished before `rowsBefore`, `limit` each at most. */
  prune(textsBefore: number, rowsBefore: number, limit: number): number {
    return this.#forgetTexts.run(textsBefore, limit).changes + this.#prune.run(rowsBefore, limit).changes;
  }
}
