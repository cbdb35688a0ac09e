import { scheduleMessageSchema } from '../protocol/wire.ts';
import { commandType } from './CommandType.ts';

/** `schedule_message`: kept on disk until `send_at`; a time in the past fires at once. */
export const scheduleMessage = commandType(scheduleMessageSchema, (payload, { store, commandId, now }) => {
  store.schedules.insert({
    scheduleId: commandId,
    threadId: payload.thread_id,
    text: payload.message_text,
    sendAt: Date.parse(payload.send_at),
    now,
  });
  return { outcome: 'received', wake: 'schedules' };
});
