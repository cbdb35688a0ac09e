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
  return { outcome: 'completed', result: fitting(store.schedules.list(STATES[status], MAX_ENTRIES + 1)) };
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

/** The entries that fit the limits together; one that is too long for what is left does not hide the shorter ones. */
function fitting(rows: Iterable<ScheduleRow>) {
  const scheduled_messages: ReturnType<typeof entryOf>[] = [];
  let leftBytes = MAX_BYTES;
  let truncated = false;
  for (const row of rows) {
    const entry = entryOf(row);
    const bytes = Buffer.byteLength(JSON.stringify(entry));
    if (scheduled_messages.length === MAX_ENTRIES || bytes > leftBytes) truncated = true;
    else {
      scheduled_messages.push(entry);
      leftBytes -= bytes;
    }
  }
  return { scheduled_messages, truncated };
}
