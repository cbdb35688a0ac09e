import type { InboundRow } from '../state/Inbound.ts';
import type { StateStore } from '../state/StateStore.ts';
import { maskHandle, maskIn } from './mask.ts';

/** Dead letters taken a round. */
const BATCH = 500;
/** Characters of a dead letter's status and body shown. */
const MAX_DETAIL = 200;

/** A message that the backend refused, or that could not be read. */
export interface DeadLetter {
  readonly guid: string;
  /** The last four characters of the thread. */
  readonly thread: string;
  readonly code: string | null;
  /** The backend's status and the beginning of its body. */
  readonly detail: string;
  readonly since: string;
}

export function deadLetter(row: InboundRow): DeadLetter {
  return {
    guid: row.guid,
    thread: row.threadId === null ? 'unknown' : maskHandle(row.threadId),
    code: row.errorCode,
    detail: maskIn(row.errorDetail ?? '').slice(0, MAX_DETAIL),
    since: new Date(row.createdAt).toISOString(),
  };
}

/** Puts one dead letter, or all, back in the queue; how many there were. */
export function reviveLetters(store: StateStore, guid?: string): number {
  return inBatches(store, guid, (row) => store.inbound.revive(row));
}

/** Gives one dead letter up, or all; how many there were. The rows stay, and say so, until retention takes them. */
export function dropLetters(store: StateStore, now: number, guid?: string): number {
  return inBatches(store, guid, (row) => store.inbound.drop(row, now));
}

function inBatches(store: StateStore, guid: string | undefined, change: (guid: string) => boolean): number {
  const changeAll = (guids: readonly string[]) => store.transaction(() => guids.filter(change).length);
  if (guid !== undefined) return changeAll([guid]);
  let total = 0;
  for (;;) {
    const guids = store.inbound.deadLetters(BATCH).map((row) => row.guid);
    if (guids.length === 0) return total;
    total += changeAll(guids);
  }
}
