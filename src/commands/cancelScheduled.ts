import { cancelSchedule } from '../messaging/cancelSchedule.ts';
import { cancelScheduledSchema } from '../protocol/wire.ts';
import { commandType } from './CommandType.ts';

/** `cancel_scheduled`: what is still to come of a schedule; its own command ends as failed with the reason `cancelled`. */
export const cancelScheduled = commandType(cancelScheduledSchema, ({ schedule_id: scheduleId }, { store, now }) => {
  const found = cancelSchedule(store, scheduleId, now);
  if (found === undefined) return { outcome: 'failed', reason: `schedule_id: no such schedule: ${scheduleId}` };
  if (found !== 'pending') return { outcome: 'failed', reason: `schedule_id: already ${found}` };
  return { outcome: 'completed', result: { schedule_id: scheduleId }, wake: 'schedules' };
});
