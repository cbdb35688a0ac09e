import type { ScheduleRow } from '../state/Schedules.ts';
import { passDue } from './recurrence.ts';

/** What is to be done with a schedule that is due. */
export interface DueSchedule {
  /** The time to be sent for now. */
  readonly fireAt: number | undefined;
  /** Times that came too long ago, the first of them, and how many; a recurrence sends one of several at most. */
  readonly missed: { readonly firstAt: number; readonly count: number } | undefined;
  /** A recurrence goes on then. */
  readonly nextAt: number | undefined;
  /** Occurrences that are no more to come. */
  readonly occurrences: number;
}

/**
 * Decides what a schedule that is due at `now` means. Pure.
 *
 * One that came with a time in the past is late from the moment it came: the backend meant now. Of a recurrence only the
 * latest time is worth sending, the earlier ones are passed over.
 */
export function dueSchedule(row: ScheduleRow, now: number, maxLateMs: number): DueSchedule {
  if (row.rrule === null || row.timeZone === null) {
    const isLate = now - Math.max(row.sendAt, row.createdAt) > maxLateMs;
    return {
      fireAt: isLate ? undefined : row.sendAt,
      missed: isLate ? { firstAt: row.sendAt, count: 1 } : undefined,
      nextAt: undefined,
      occurrences: 1,
    };
  }
  const recurrence = { rrule: row.rrule, timeZone: row.timeZone, firstAt: row.firstAt };
  const { latest, gone, nextAt } = passDue(recurrence, { nextAt: row.sendAt, gone: row.occurrences }, now);
  const fireAt = latest !== undefined && now - latest <= maxLateMs ? latest : undefined;
  const count = gone - row.occurrences - (fireAt === undefined ? 0 : 1);
  return { fireAt, missed: count > 0 ? { firstAt: row.sendAt, count } : undefined, nextAt, occurrences: gone };
}
