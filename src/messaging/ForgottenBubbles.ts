import type { ChatRow } from '../chatdb/types.ts';
import type { ForgottenTime } from '../state/Forgotten.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { isClaimed } from './claims.ts';
import { rootIdOf } from './partsOutcome.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { datedFrom, findReceipt } from './receipts.ts';

/** The backend's clock, by which commands are dated, may be before this Mac's by so much, ms. */
const BACKEND_SKEW_MS = 600_000;
/** How long a command that says nothing of its time may be one of the forgotten time, ms. */
const UNDATED_MS = 86_400_000;
/** Rows asked of chat.db at once, and looked at for one bubble: some 100 ms where none of them is it. */
const PAGE = 200;
const MAX_ROWS = 5000;

/**
 * Where state.db has forgotten bubbles (state/Forgotten.ts), the messages and commands that asked for them come again, and
 * with them the same bubbles. One that chat.db shows already is not sent: a row of ours of that time, in its thread, with
 * its text, not older than what asks for it and the proof of no other bubble. It may have been typed by a person on another
 * device; what reads as they wrote it is then not said again, which is the lesser evil.
 */
export class ForgottenBubbles {
  readonly #store: StateStore;
  readonly #chatDb: () => ReceiptSource | undefined;
  readonly #epoch: () => number;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #settleMs: number;
  /** Until then the row of a bubble that was under way may yet come, monotonic ms. */
  #settledAt = 0;

  constructor(options: {
    store: StateStore;
    chatDb: () => ReceiptSource | undefined;
    epoch: () => number;
    clock: Clock;
    telemetry: Telemetry;
    settleMs: number;
  }) {
    this.#store = options.store;
    this.#chatDb = options.chatDb;
    this.#epoch = options.epoch;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#settleMs = options.settleMs;
  }

  start(): void {
    const time = this.#store.forgotten;
    if (!time) return;
    const leftMs = time.until + this.#settleMs - this.#clock.now();
    this.#settledAt = this.#clock.monotonic() + Math.min(Math.max(leftMs, 0), this.#settleMs);
  }

  /** Whether what asks for the bubble is of the forgotten time. */
  concerns(send: SendRow): boolean {
    const time = this.#store.forgotten;
    const since = time && this.#askedAt(send, time);
    return since !== undefined && since <= time!.until;
  }

  /**
   * The row in which a bubble that is to be begun for the first time stands already.
   * @returns undefined when there is none, false when that cannot be known yet
   */
  receipt(send: SendRow): ChatRow | undefined | false {
    const time = this.#store.forgotten;
    const since = time && this.#askedAt(send, time);
    if (since === undefined || since > time!.until) return undefined;
    if (this.#clock.monotonic() < this.#settledAt) return false;
    const source = this.#chatDb();
    if (!source) return false;
    try {
      return this.#find(source, send, { from: Math.max(time!.from, since), until: time!.until + this.#settleMs });
    } catch (error) {
      const code = codeOf(error, 'EDGE_CHATDB_READ');
      this.#telemetry.failure(code, `looking for send ${send.sendId}: ${messageOf(error)}`);
      return false;
    }
  }

  #find(source: ReceiptSource, send: SendRow, { from, until }: ForgottenTime): ChatRow | undefined {
    // As of another chat.db: by date alone.
    const sought: SendRow = { ...send, watermarkEpoch: null, watermarkRowid: null, sendingAt: from };
    const search = {
      epoch: this.#epoch(),
      claimed: (guid: string) => isClaimed(this.#store, guid, send.sendId),
      lastLook: false,
    };
    let after = 0;
    for (let seen = 0; seen < MAX_ROWS; ) {
      const page = source.outgoingSince(datedFrom(sought), PAGE, after);
      const last = page.at(-1);
      if (!last) return undefined;
      const possible = page.filter(({ error, dateAt }) => error === 0 && dateAt !== undefined && dateAt <= until);
      const row = findReceipt(sought, possible, search);
      if (row) return row;
      seen += page.length;
      after = last.rowid;
    }
    return undefined;
  }

  /** When that came about which asks for the bubble, ms since 1970; undefined: not in the forgotten time. */
  #askedAt(send: SendRow, time: ForgottenTime): number | undefined {
    const { inbound, commands, schedules, sends } = this.#store;
    if (send.createdAt <= time.until) return time.from;
    const { answersId, scheduleId, commandId, key } = sends.byId(rootIdOf(send)) ?? send;
    if (answersId !== null) return inbound.messageAt(answersId) ?? time.from;
    if (scheduleId !== null) {
      const [, dueAt] = /^schedule:.*:(\d+)$/.exec(key) ?? [];
      return dueAt === undefined ? schedules.byId(scheduleId)?.firstAt : Number(dueAt);
    }
    if (commandId === null) return undefined;
    const issuedAt = commands.byId(commandId)?.issuedAt ?? null;
    if (issuedAt !== null) return issuedAt - BACKEND_SKEW_MS;
    return send.createdAt <= time.until + UNDATED_MS ? time.from : undefined;
  }
}
