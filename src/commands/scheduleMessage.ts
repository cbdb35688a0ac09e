import { scheduleMessageSchema } from '../protocol/wire.ts';
import { commandType } from './CommandType.ts';

/** Schedules that are pending at most: with the longest texts that a frame holds a few GB, with usual ones a few MB. */
export const MAX_SCHEDULES = 10_000;

/** `schedule_message`: kept on disk until `send_at`; a time in the past fires at once. */
export const scheduleMessage = commandType(scheduleMessageSchema, (payload, { store, commandId, now }) => {
  if (store.schedules.pendingCount() >= MAX_SCHEDULES) {
    return { outcome: 'failed', reason: `${MAX_SCHEDULES} messages are scheduled already` };
  }
  store.schedules.insert({
    scheduleId: commandId,
    threadId: payload.thread_id,
    text: payload.message_text,
    sendAt: Date.parse(payload.send_at),
    now,
  });
  return { outcome: 'received', wake: 'schedules' };
});
