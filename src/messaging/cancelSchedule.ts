import type { ScheduleState } from '../state/Schedules.ts';
import type { StateStore } from '../state/StateStore.ts';
import { failCommand } from './commandOutcome.ts';

/**
 * Cancels what is still to come of a schedule, whose command then fails with the reason `cancelled`; a bubble that was
 * queued already goes out. Returns the state it was found in, `pending` when it was cancelled; undefined when there is no
 * such schedule. Call it inside a transaction.
 */
export function cancelSchedule(store: StateStore, scheduleId: string, now: number): ScheduleState | undefined {
  const schedule = store.schedules.byId(scheduleId);
  if (schedule && store.schedules.finish(scheduleId, 'cancelled', now))
    failCommand(store, scheduleId, now, 'cancelled');
  return schedule?.state;
}
