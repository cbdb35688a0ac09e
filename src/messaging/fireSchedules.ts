import type { ScheduleRow } from '../state/Schedules.ts';
import type { StateStore } from '../state/StateStore.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { failCommand } from './commandOutcome.ts';
import { type DueSchedule, dueSchedule } from './dueSchedule.ts';
import { queueText } from './queueText.ts';

/** Schedules dealt with in one transaction, so that a long backlog does not hold up everything else. */
const BATCH = 100;

export interface FireOptions {
  readonly store: StateStore;
  readonly telemetry: Telemetry;
  readonly now: number;
  readonly maxLateMs: number;
  readonly maxBubbleChars: number;
  /** False while nothing could be begun: what is due stays where it can still be cancelled, and grows too old for itself. */
  readonly canSend: boolean;
  /** False while the clock may be wrong: when something is too late by it, nothing is touched. */
  readonly canExpire: boolean;
}

export interface Fired {
  readonly fired: number;
  readonly expired: number;
  /** Something is due and stays. */
  readonly isHeld: boolean;
}

/**
 * Turns what is due into sends, and gives up what is due for too long, in one transaction with the step to a recurrence's
 * next time: neither a crash nor a clock that goes back sends one twice, because its key is made of its time.
 */
export function fireSchedules(options: FireOptions): Fired {
  const { store, telemetry, now, maxLateMs, maxBubbleChars, canSend, canExpire } = options;
  const told: (() => void)[] = [];
  const result = store.transaction(() => {
    const due = store.schedules.due(now, BATCH).map((row) => ({ row, step: decide(row) }));
    if (!canExpire && due.some(({ step }) => step.missed)) return { fired: 0, expired: 0, isHeld: true };
    const possible = due.filter(({ step }) => step.fireAt === undefined || canSend);
    const done = possible.map(({ row, step }) => applied(row, step));
    return {
      fired: done.filter(({ fireAt }) => fireAt !== undefined).length,
      expired: done.filter(({ missed }) => missed).length,
      isHeld: possible.length < due.length,
    };
  });
  for (const tell of told) tell();
  return result;

  /** A rule that this version cannot read any more must not stop the others: its series ends here. */
  function decide(row: ScheduleRow): DueSchedule {
    try {
      return dueSchedule(row, now, maxLateMs);
    } catch (error) {
      return givenUp(row, error);
    }
  }

  /** The same for one that cannot be queued. @returns what was done */
  function applied(row: ScheduleRow, step: DueSchedule): DueSchedule {
    const before = told.length;
    try {
      store.transaction(() => apply(row, step));
      return step;
    } catch (error) {
      if (error instanceof EdgeError) throw error; // state.db takes nothing at all
      told.length = before;
      const end = givenUp(row, error);
      apply(row, end);
      return end;
    }
  }

  function givenUp(row: ScheduleRow, error: unknown): DueSchedule {
    told.push(() => telemetry.failure('EDGE_INTERNAL', `schedule ${row.scheduleId}: ${messageOf(error)}`));
    const missed = { firstAt: row.sendAt, count: 1 };
    return { fireAt: undefined, missed, nextAt: undefined, occurrences: row.occurrences + 1 };
  }

  function apply(row: ScheduleRow, step: DueSchedule): void {
    const { scheduleId, threadId } = row;
    const { fireAt, missed, nextAt } = step;
    const reason = missed && expire(row, step, missed);
    if (fireAt !== undefined) {
      fire(row, fireAt, nextAt === undefined);
      // 0 at least: a clock that was set back may stand before the time at which the command came.
      const lateMs = Math.max(0, now - Math.max(fireAt, row.rrule === null ? row.createdAt : fireAt));
      told.push(() => telemetry.scheduleFired({ scheduleId, threadId, lateMs, nextAt }));
    }
    if (nextAt !== undefined) {
      store.schedules.step(scheduleId, nextAt, step.occurrences);
      return;
    }
    store.schedules.finish(scheduleId, fireAt === undefined ? 'expired' : 'fired', now);
    if (fireAt !== undefined || reason === undefined) return;
    failCommand(store, scheduleId, now, reason);
    told.push(() => telemetry.commandFailed(scheduleId, reason));
  }

  /** The outcome of the last bubble is the command's. */
  function fire({ scheduleId, threadId, text, rrule }: ScheduleRow, at: number, isLast: boolean): void {
    const key = keyOf(scheduleId, rrule, at);
    const command = isLast ? { commandId: scheduleId } : {};
    const bubble = { key, threadId, text, bubbleType: 'normal' as const, ...command, scheduleId, now };
    const send = queueText(store, bubble, maxBubbleChars);
    if (isLast) store.commands.setSend(scheduleId, send.sendId);
  }

  function expire(row: ScheduleRow, step: DueSchedule, missed: { firstAt: number; count: number }): string {
    const { scheduleId, threadId, rrule } = row;
    const key = keyOf(scheduleId, rrule, missed.firstAt);
    const dueAt = new Date(missed.firstAt).toISOString();
    const times = missed.count === 1 ? '' : `, the first of ${missed.count} times`;
    const reason = `EDGE_SCHEDULE_EXPIRED: expired: due at ${dueAt}${times}, when nothing could be sent`;
    store.events.insert(
      {
        event_id: `failed:${key}`,
        event_type: 'message_failed',
        thread_id: threadId,
        details: {
          send_id: null,
          key,
          message_guid: null,
          schedule_id: scheduleId,
          reason,
          due_at: dueAt,
          missed: missed.count,
          ...(step.nextAt === undefined ? {} : { next_at: new Date(step.nextAt).toISOString() }),
        },
      },
      now,
    );
    const info = { lateMs: now - missed.firstAt, occurrences: missed.count, nextAt: step.nextAt };
    told.push(() => telemetry.scheduleExpired({ scheduleId, threadId, ...info }));
    return reason;
  }
}

function keyOf(scheduleId: string, rrule: string | null, at: number): string {
  return rrule === null ? `command:${scheduleId}` : `schedule:${scheduleId}:${at}`;
}
