import type { ReceiptState } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { ReceiptSource } from './ReceiptSource.ts';

/** How long news of a send is awaited at once, ms: most are delivered within seconds, and read within minutes. */
const FRESH_MS = 20 * 60_000;
/** How long it is awaited at all, ms. SMS mostly never reports anything, and many people send no read receipts. */
const WATCHED_MS = 7 * 86_400_000;
/** Changes of chat.db within this are looked at together, ms: nobody waits for the news. */
const GATHER_MS = 1000;
/** How often older sends are looked at while chat.db changes, ms. */
const ROUND_MS = 60_000;
/** Sends looked at in one go: some 2 ms. Fresh ones beyond that are left to the round: whoever has so many is in no hurry. */
const SLICE = 200;
/** Between two slices, ms. */
const SLICE_GAP_MS = 25;

/** The last send that was looked at. */
interface Place {
  readonly confirmedAt: number;
  readonly sendId: number;
}

/**
 * Watches the receipts of confirmed sends for what Messages learns later: delivered, read, or failed after all. The
 * latest of the last 20 minutes with each change of chat.db, those of a week once a minute and at the start.
 */
export class Deliveries {
  readonly #store: StateStore;
  readonly #chatDb: () => ReceiptSource | undefined;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #onNews: (send: SendRow, state: ReceiptState) => void;
  readonly #turn: (work: () => void) => void;
  #timer: Timer | undefined;
  #roundTimer: Timer | undefined;
  /** How far the round under way is, the oldest first; asked for again meanwhile, another comes after it. */
  #round: Place | undefined;
  #isFreshDue = false;
  #isRoundDue = false;
  #stopped = false;

  constructor(options: {
    store: StateStore;
    chatDb: () => ReceiptSource | undefined;
    clock: Clock;
    telemetry: Telemetry;
    /** The row of a confirmed send says something that was not told. */
    onNews: (send: SendRow, state: ReceiptState) => void;
    turn: (work: () => void) => void;
  }) {
    this.#store = options.store;
    this.#chatDb = options.chatDb;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#onNews = options.onNews;
    this.#turn = options.turn;
  }

  /** The agent started, or the Mac woke up: anything may have happened. */
  started(): void {
    this.#isRoundDue = true;
    this.#soon(GATHER_MS);
  }

  /** chat.db changed, or a send was confirmed. */
  changed(): void {
    this.#isFreshDue = true;
    this.#soon(GATHER_MS);
    if (this.#roundTimer || this.#stopped) return;
    this.#roundTimer = this.#clock.after(ROUND_MS, () => {
      this.#roundTimer = undefined;
      this.started();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#roundTimer?.cancel();
  }

  #soon(ms: number): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = undefined;
      this.#turn(this.#looking);
    });
  }

  readonly #looking = () => this.#look();

  /** One slice. Done again from its start when state.db took nothing. */
  #look(): void {
    const now = this.#clock.now();
    if (this.#isRoundDue && !this.#round) {
      this.#round = { confirmedAt: now - WATCHED_MS, sendId: 0 };
      this.#isRoundDue = false;
    }
    const { sends: stored } = this.#store;
    const sends = this.#round ? stored.unread(this.#round, SLICE) : stored.latestUnread(now - FRESH_MS, SLICE);
    const db = this.#chatDb();
    const states = db && this.#states(db, sends);
    if (!states) {
      this.#soon(GATHER_MS);
      return;
    }
    for (const send of sends) {
      const state = states.get(send.receiptGuid!);
      if (state && isNews(send, state)) this.#onNews(send, state);
    }
    if (this.#round) this.#round = placeOf(sends.length < SLICE ? undefined : sends.at(-1));
    else this.#isFreshDue = false;
    if (this.#round || this.#isFreshDue || this.#isRoundDue) this.#soon(SLICE_GAP_MS);
  }

  /** By guid; undefined when chat.db cannot be read now. */
  #states(db: ReceiptSource, sends: readonly SendRow[]): Map<string, ReceiptState> | undefined {
    try {
      const byGuid = read(
        db,
        sends.map(({ receiptRowid }) => receiptRowid!),
      );
      const lost = sends.filter(({ receiptGuid }) => !byGuid.has(receiptGuid!));
      if (lost.length === 0) return byGuid;
      return new Map([...byGuid, ...this.#findAgain(db, lost)]);
    } catch (error) {
      this.#telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), `looking for deliveries: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** In a rebuilt chat.db a row has another ROWID; one that was deleted stays lost. */
  #findAgain(db: ReceiptSource, lost: readonly SendRow[]): Map<string, ReceiptState> {
    const rows = db.rowsByGuid(lost.map(({ receiptGuid }) => receiptGuid!));
    const rowids = new Map(rows.map(({ guid, rowid }) => [guid, rowid]));
    this.#store.transaction(() => {
      for (const { sendId, receiptGuid } of lost) {
        const rowid = rowids.get(receiptGuid!);
        if (rowid !== undefined) this.#store.sends.moveReceipt(sendId, rowid);
      }
    });
    return read(db, [...rowids.values()]);
  }
}

function placeOf(send: SendRow | undefined): Place | undefined {
  return send && { confirmedAt: send.confirmedAt!, sendId: send.sendId };
}

function read(db: ReceiptSource, rowids: readonly number[]): Map<string, ReceiptState> {
  if (rowids.length === 0) return new Map();
  return new Map(db.receiptStates(rowids).map((state) => [state.guid, state]));
}

function isNews(send: SendRow, { isDelivered, readAt, error }: ReceiptState): boolean {
  if (readAt !== undefined) return true;
  return send.state === 'confirmed' && (isDelivered || error !== 0);
}
