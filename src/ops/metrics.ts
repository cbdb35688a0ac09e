/** What is counted since the start, with the help text a monitoring system shows. */
export const COUNTERS = {
  rows_read: 'Rows read from chat.db',
  rows_parked: 'Rows of chat.db that were incomplete when first seen',
  rows_skipped: 'Messages that are not handed over: filtered, echoes, known under another guid',
  events_noted: 'Events written for the backend: edits, reactions, group changes',
  bodies_undecodable: 'Message bodies that could not be decoded',
  messages_received: 'Inbound messages taken in',
  messages_handed_over: 'Inbound messages the backend took',
  backfill_handed_over: 'Of them backfill, which waits for its block and is not timed',
  message_handover_seconds: 'Sum of the times from taking in to handing over',
  message_retries: 'Attempts to hand a message over that will be repeated',
  messages_set_aside: 'Inbound messages the backend refused for good',
  letters_dropped: 'Refused messages that were given up by hand',
  sends_started: 'Times AppleScript was started for a bubble',
  sends_accepted: 'Bubbles Messages accepted',
  sends_confirmed: 'Bubbles with a receipt in chat.db',
  send_confirm_seconds: 'Sum of the times from the start of AppleScript to the receipt',
  sends_delivered: 'Bubbles Messages reported as delivered',
  send_retries: 'Bubbles that are tried once more',
  sends_failed: 'Bubbles that were not sent',
  sends_unknown: 'Bubbles without a receipt, which may have been sent',
  sends_corrected: 'Bubbles reported as unknown that were sent after all',
  ghosts_seen: 'Empty rows without a chat that Messages wrote in place of a bubble',
  files_staged: 'Files made ready to be sent',
  file_retries: 'Attempts to fetch a file that will be repeated',
  uploads: 'Files of messages the backend took',
  upload_bytes: 'Bytes of the files the backend took',
  upload_retries: 'Attempts to upload a file that will be repeated',
  uploads_failed: 'Files that are not uploaded',
  schedules_fired: 'Scheduled messages that came due',
  schedules_expired: 'Scheduled messages that were due too long ago to be sent',
  messages_launches: 'Times Messages was started',
  messages_restarts: 'Times Messages was quit and reopened',
  reflexes_matched: 'Bubbles left out because reflex and answer said the same',
  websocket_drains: 'Times the backend asked to leave the WebSocket and to come back',
  websocket_pongs: 'Pings over the WebSocket that were answered',
  websocket_pong_seconds: 'Sum of the times from ping to pong',
  syncs: 'Polls that were answered',
  sync_failures: 'Polls that failed',
  wakes: 'Times the machine slept and woke',
  frames_refused: 'Frames and commands that are not what the protocol says',
  command_pauses: 'Times so many commands waited that no more were read',
  commands_received: 'Commands received for the first time',
  commands_repeated: 'Commands received again and not executed again',
  commands_completed: 'Commands executed',
  commands_failed: 'Commands that failed',
  acks_handed_over: 'Acks the backend took',
  failures: 'Errors without a counter of their own',
} as const;

export type CounterName = keyof typeof COUNTERS;

/** Counters by a label of few values. */
export const LABELLED_COUNTERS = {
  errors: { label: 'code', help: 'Errors by code' },
  websocket_dials: {
    label: 'result',
    help: 'Dials of the WebSocket by how they ended: open, an HTTP status, an error',
  },
  websocket_closes: { label: 'code', help: 'Connections to the WebSocket that ended, by close code' },
} as const;

export type LabelledCounterName = keyof typeof LABELLED_COUNTERS;

/** Whoever names a label keeps it to known values; beyond these it is `other` all the same. More than there are codes. */
const MAX_LABELS = 200;

/**
 * Plain counters, always on. prom-client takes 12 MB, so it is loaded only where its format is asked for
 * (prometheus.ts).
 */
export class Metrics {
  readonly #counts = new Map<CounterName, number>();
  readonly #labelled = new Map<LabelledCounterName, Map<string, number>>();

  count(name: CounterName, by = 1): void {
    this.#counts.set(name, this.get(name) + by);
  }

  /** One more error of this code, whatever else it counts as. */
  error(code: string): void {
    this.countBy('errors', code);
  }

  get(name: CounterName): number {
    return this.#counts.get(name) ?? 0;
  }

  countBy(name: LabelledCounterName, value: string): void {
    const counts = this.#labelled.get(name) ?? new Map<string, number>();
    this.#labelled.set(name, counts);
    const label = counts.has(value) || counts.size < MAX_LABELS ? value : 'other';
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }

  /** Counts by the value of the label; those that are 0 are left out. */
  by(name: LabelledCounterName): ReadonlyMap<string, number> {
    return this.#labelled.get(name) ?? new Map();
  }
}
