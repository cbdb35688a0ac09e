import { failCommand } from '../messaging/commandOutcome.ts';
import { cancelScheduledSchema } from '../protocol/wire.ts';
import { commandType } from './CommandType.ts';

/** `cancel_scheduled`: the schedule's own command ends as failed with the reason `cancelled`. */
export const cancelScheduled = commandType(cancelScheduledSchema, ({ schedule_id: scheduleId }, { store, now }) => {
  const schedule = store.schedules.byId(scheduleId);
  if (!schedule) {
    return { outcome: 'failed', reason: `schedule_id: no such schedule: ${scheduleId}` };
  }
  if (!store.schedules.finish(scheduleId, 'cancelled', now)) {
    return { outcome: 'failed', reason: `schedule_id: already ${schedule.state}` };
  }
  failCommand(store, scheduleId, now, 'cancelled');
  return { outcome: 'completed', result: { schedule_id: scheduleId }, wake: 'schedules' };
});
