import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { Clock } from '../util/Clock.ts';

/**
 * How long an empty row must stay so, ms: Messages writes a row first and its chat, at times its text, some ms later;
 * seconds under load.
 */
const GHOST_MS = 5000;
/** Where nobody looked for so much longer the Mac slept, ms: Messages had no time to write either. */
const LATE_MS = 1000;
/** Messages dates an SMS, which a ghost is, by whole seconds, so that it may seem older than its send, ms. */
const DATE_STEP_MS = 1000;

/** An empty row, the send that seems to have left it, and how long it has yet to stay empty to prove that, ms. */
export interface Suspicion {
  readonly send: SendRow;
  readonly row: ChatRow;
  readonly leftMs: number;
}

/**
 * Tells ghosts from rows that are not finished. macOS 26 answers some chat ids with success and writes an empty row of
 * ours that belongs to no chat, of service SMS or without a handle: nobody got anything.
 */
export class Ghosts {
  readonly #clock: Clock;
  readonly #isSpent: (guid: string) => boolean;
  readonly #isByChat: (send: SendRow) => boolean;
  /** When each empty row was first seen, monotonic ms. */
  readonly #seen = new Map<string, number>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    clock: Clock;
    isSpent: (guid: string) => boolean;
    /** Whether the send is addressed by chat id. */
    isByChat: (send: SendRow) => boolean;
  }) {
    this.#clock = options.clock;
    this.#isSpent = options.isSpent;
    this.#isByChat = options.isByChat;
  }

  /**
   * `sends` are under way and have no receipt among `rows`. As Messages takes one at a time, an empty row is of the one
   * that began last before it was written; and it is a ghost if that one went by chat id and its osascript has ended.
   */
  among(
    rows: readonly ChatRow[],
    sends: readonly SendRow[],
    epoch: number,
    hasEnded: (send: SendRow) => boolean,
  ): Suspicion[] {
    const now = this.#clock.monotonic();
    if (now - this.#lookedAt > GHOST_MS + LATE_MS) this.#seen.clear();
    this.#lookedAt = now;
    const empty = rows.filter((row) => isHollow(row) && !this.#isSpent(row.guid));
    const guids = new Set(empty.map(({ guid }) => guid));
    for (const guid of this.#seen.keys()) if (!guids.has(guid)) this.#seen.delete(guid);
    return empty.flatMap((row) => {
      const since = this.#seen.get(row.guid) ?? now;
      this.#seen.set(row.guid, since);
      const send = sends
        .filter((send) => mayHaveLeft(send, row, epoch))
        .reduce<SendRow | undefined>(
          (last, send) => (!last || begunAt(send) >= begunAt(last) ? send : last),
          undefined,
        );
      return send && hasEnded(send) && this.#isByChat(send) ? [{ send, row, leftMs: GHOST_MS - (now - since) }] : [];
    });
  }
}

function isHollow(row: ChatRow): boolean {
  if (row.chat || row.text !== '' || row.bodyBytes > 0 || row.cacheHasAttachments) return false;
  if (row.association || row.action || row.balloon || row.attachments.length > 0) return false;
  return row.handle === undefined || row.service.toUpperCase() === 'SMS';
}

function mayHaveLeft(send: SendRow, row: ChatRow, epoch: number): boolean {
  if (send.watermarkEpoch !== epoch || row.rowid <= (send.watermarkRowid ?? 0)) return false;
  return row.dateAt !== undefined && row.dateAt > begunAt(send) - DATE_STEP_MS;
}

function begunAt(send: SendRow): number {
  return send.sendingAt ?? send.createdAt;
}
