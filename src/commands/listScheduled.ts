import { listScheduledSchema } from '../protocol/wire.ts';
import type { ScheduleRow, ScheduleState } from '../state/Schedules.ts';
import { commandType } from './CommandType.ts';

/** Entries in one ack; with the byte limit it keeps the frame well under the 1 MiB that peers read. */
const MAX_ENTRIES = 1000;
const MAX_BYTES = 512 * 1024;

const STATES: Record<string, ScheduleState | undefined> = {
  pending: 'pending',
  fired: 'fired',
  cancelled: 'cancelled',
  expired: 'expired',
  all: undefined,
};

/** `list_scheduled`: by `send_at`, those of `status` (pending, fired, cancelled, expired, all). @default pending */
export const listScheduled = commandType(listScheduledSchema, ({ status = 'pending' }, { store }) => {
  if (!Object.hasOwn(STATES, status)) {
    const expected = Object.keys(STATES).join(', ');
    return { outcome: 'failed', reason: `status: expected one of ${expected}` };
  }
  const rows = store.schedules.list(STATES[status], MAX_ENTRIES + 1);
  const entries = fitting(rows.slice(0, MAX_ENTRIES).map(entryOf));
  return { outcome: 'completed', result: { scheduled_messages: entries, truncated: entries.length < rows.length } };
});

function entryOf(row: ScheduleRow) {
  return {
    schedule_id: row.scheduleId,
    thread_id: row.threadId,
    message_text: row.text,
    send_at: new Date(row.sendAt).toISOString(),
    status: row.state,
    ...(row.rrule === null
      ? {}
      : { recurrence: { rrule: row.rrule, time_zone: row.timeZone }, occurrences: row.occurrences }),
  };
}

/** The first entries that fit the byte limit together. */
function fitting<T>(entries: readonly T[]): T[] {
  let bytes = 0;
  const past = entries.findIndex((entry) => {
    bytes += Buffer.byteLength(JSON.stringify(entry));
    return bytes > MAX_BYTES;
  });
  return past === -1 ? [...entries] : entries.slice(0, past);
}
