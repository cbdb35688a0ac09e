import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { controlSocketPath } from '../ops/ControlServer.ts';
import { controlRequest, errorOf } from '../ops/controlClient.ts';
import type { CancelOutcome } from '../ops/controlRoutes.ts';
import { maskHandle } from '../ops/mask.ts';
import type { ScheduleRow } from '../state/Schedules.ts';
import { StateStore } from '../state/StateStore.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import { printable } from '../util/printable.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';
import type { ScheduleListOptions } from './scheduleStates.ts';

/** Schedules printed; there are at most 10,000 pending ones, and of the others those of 90 days. */
const MAX_LISTED = 1000;

/** `edge-agent schedule list`: what state.db says, beside a running agent or without one. */
export function scheduleList(options: ScheduleListOptions, io: Io): number {
  const { config } = openConfig(options, io);
  const entries = readSchedules(join(config.state.dir, 'state.db'), options);
  const shown = entries.slice(0, MAX_LISTED);
  const isTruncated = entries.length > shown.length;
  if (options.json) {
    io.out(`${printable(JSON.stringify({ schedules: shown, truncated: isTruncated }))}\n`);
    return EXIT.ok;
  }
  const which = options.status === 'all' ? '' : `${options.status} `;
  if (shown.length === 0) io.out(`There are no ${which}schedules\n`);
  for (const entry of shown) io.out(`${printable(lineOf(entry))}\n`);
  if (isTruncated) io.out(`and more: these are the first ${MAX_LISTED}\n`);
  return EXIT.ok;
}

/** `edge-agent schedule cancel ID`: exit 0 cancelled, 65 there is nothing to cancel. */
export async function scheduleCancel(id: string, options: CommonOptions, io: Io): Promise<number> {
  const { config } = openConfig(options, io);
  const socketPath = controlSocketPath(config.state.dir);
  const body = { schedule_id: id };
  const answer = await controlRequest({ socketPath, method: 'POST', path: '/schedule/cancel', body });
  const error = errorOf(answer);
  if (error) {
    io.err(`edge-agent: ${error.code}: ${error.message}\n`);
    return EXIT.tempFail;
  }
  const { found } = answer.body as CancelOutcome;
  const isCancelled = found === 'pending';
  if (options.json) io.out(`${JSON.stringify({ cancelled: isCancelled, found })}\n`);
  else if (isCancelled) io.out(printable(`schedule ${id} is cancelled`).concat('\n'));
  if (isCancelled) return EXIT.ok;
  const why = found === null ? `there is no schedule ${id}` : `schedule ${id} is ${found} already`;
  io.err(`edge-agent: ${printable(why)}; \`edge-agent schedule list\` lists what is pending\n`);
  return EXIT.data;
}

function readSchedules(path: string, { status, text }: ScheduleListOptions): Entry[] {
  if (!existsSync(path)) return [];
  try {
    const store = StateStore.openReadOnly(path);
    try {
      const rows = store.schedules.list(status === 'all' ? undefined : status, MAX_LISTED + 1);
      return Array.from(rows, (row) => entryOf(row, text === true));
    } finally {
      store.close();
    }
  } catch (error) {
    if (error instanceof EdgeError) throw error;
    throw new EdgeError('EDGE_STATE_DIR', `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

type Entry = ReturnType<typeof entryOf>;

function entryOf(row: ScheduleRow, isWhole: boolean) {
  return {
    schedule_id: row.scheduleId,
    thread: isWhole ? row.threadId : maskHandle(row.threadId),
    ...(isWhole ? { text: row.text } : {}),
    status: row.state,
    send_at: new Date(row.sendAt).toISOString(),
    recurrence: row.rrule === null ? null : { rrule: row.rrule, time_zone: row.timeZone },
    occurrences: row.occurrences,
    created_at: new Date(row.createdAt).toISOString(),
    finished_at: row.finishedAt === null ? null : new Date(row.finishedAt).toISOString(),
  };
}

function lineOf({ schedule_id, thread, text, status, send_at, recurrence, occurrences }: Entry): string {
  const series = recurrence ? `  ${recurrence.rrule} in ${recurrence.time_zone}, ${occurrences} gone by` : '';
  return `${schedule_id}  ${status}  ${send_at}  ${thread}${series}${text === undefined ? '' : `  ${text}`}`;
}
