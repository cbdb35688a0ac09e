import type { z } from 'zod';
import { MAX_TEXT_CHARS } from '../messaging/queueText.ts';
import { beginSeries, readRecurrence } from '../messaging/recurrence.ts';
import { scheduleMessageSchema } from '../protocol/wire.ts';
import type { NewSchedule } from '../state/Schedules.ts';
import { commandType } from './CommandType.ts';

/** Schedules that are pending at most: with the longest texts a few GB on disk, with usual ones a few MB. */
export const MAX_SCHEDULES = 10_000;
/** A recurrence whose send_at is past begins with its first time from now on, and with one that passed on the way here, ms. */
const ON_THE_WAY_MS = 60_000;

type Payload = z.output<typeof scheduleMessageSchema>;
type When = Pick<NewSchedule, 'sendAt' | 'recurrence'>;

/** `schedule_message`: kept on disk until `send_at`, or for each time of its recurrence; a time in the past fires at once. */
export const scheduleMessage = commandType(scheduleMessageSchema, (payload, { store, commandId, now }) => {
  const { thread_id: threadId, message_text: text } = payload;
  if (text.trim() === '') return { outcome: 'failed', reason: 'message_text: EDGE_SEND_TEXT: the text is empty' };
  if (text.length > MAX_TEXT_CHARS) {
    const size = `the text has ${text.length} characters, the limit is ${MAX_TEXT_CHARS}`;
    return { outcome: 'failed', reason: `message_text: EDGE_SEND_TEXT: ${size}` };
  }
  if (store.schedules.pendingCount() >= MAX_SCHEDULES) {
    return { outcome: 'failed', reason: `${MAX_SCHEDULES} messages are scheduled already` };
  }
  const when = whenOf(payload, now);
  if (typeof when === 'string') return { outcome: 'failed', reason: when };
  store.schedules.insert({ scheduleId: commandId, threadId, text, ...when, now });
  return { outcome: 'received', wake: 'schedules' };
});

/** When it is due, or why not at all. Without an offset `send_at` is a time of this Mac's zone. */
function whenOf({ send_at: said, recurrence: rule }: Payload, now: number): When | string {
  const sendAt = Date.parse(said);
  if (Number.isNaN(sendAt)) return 'send_at: there is no such time';
  if (!rule) return { sendAt };
  try {
    const recurrence = readRecurrence({ rrule: rule.rrule, timeZone: rule.time_zone, sendAt: said });
    const begin = beginSeries(recurrence, now - ON_THE_WAY_MS);
    if (!begin) return 'recurrence.rrule: never occurs from now on';
    return { sendAt: begin.nextAt, recurrence: { ...recurrence, occurrences: begin.gone } };
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}
