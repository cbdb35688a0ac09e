import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/Sends.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { ReceiptSource } from './ReceiptSource.ts';

/** How long a confirmed send is watched for its delivery or a late error, ms. SMS mostly never reports either. */
const WATCHED_MS = 20 * 60_000;
/** Changes of chat.db within this are looked at together, ms: nobody waits for the news. */
const GATHER_MS = 1000;
/** Sends looked at together: 20 minutes at one a second. */
const MAX_SENDS = 1200;

/** Watches the receipts of confirmed sends for what Messages learns later: delivered, or failed after all. */
export class Deliveries {
  readonly #store: StateStore;
  readonly #chatDb: () => ReceiptSource | undefined;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #onNews: (send: SendRow, row: ChatRow) => void;
  readonly #turn: (work: () => void) => void;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: {
    store: StateStore;
    chatDb: () => ReceiptSource | undefined;
    clock: Clock;
    telemetry: Telemetry;
    /** The row of a confirmed send is now delivered, or carries an error. */
    onNews: (send: SendRow, row: ChatRow) => void;
    turn: (work: () => void) => void;
  }) {
    this.#store = options.store;
    this.#chatDb = options.chatDb;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#onNews = options.onNews;
    this.#turn = options.turn;
  }

  /** chat.db changed, or a send was confirmed. */
  changed(): void {
    if (this.#timer || this.#stopped) return;
    this.#timer = this.#clock.after(GATHER_MS, () => {
      this.#timer = undefined;
      this.#turn(() => this.#look());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    const db = this.#chatDb();
    if (!db) return;
    const byRowid = new Map<number, SendRow>();
    for (const send of this.#store.sends.undelivered(this.#clock.now() - WATCHED_MS, MAX_SENDS)) {
      if (send.receiptRowid !== null) byRowid.set(send.receiptRowid, send);
    }
    if (byRowid.size === 0) return;
    for (const row of this.#rows(db, [...byRowid.keys()])) {
      const send = byRowid.get(row.rowid);
      // In another epoch the number may be that of another row.
      if (send?.receiptGuid === row.guid && (row.isDelivered || row.error !== 0)) this.#onNews(send, row);
    }
  }

  #rows(db: ReceiptSource, rowids: readonly number[]): ChatRow[] {
    try {
      return db.rowsByRowid(rowids);
    } catch (error) {
      this.#telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), `looking for deliveries: ${messageOf(error)}`);
      return [];
    }
  }
}
