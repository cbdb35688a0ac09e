import type { ChatRow, ReceiptState } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { Deliveries } from './Deliveries.ts';
import { LateOutcomes } from './LateOutcomes.ts';
import { LateReceipts } from './LateReceipts.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import type { SendOutcomes } from './SendOutcomes.ts';

/** What becomes of sends that are over: delivered, read, failed after all, found after all, out twice. */
export class Aftermath {
  readonly #store: StateStore;
  readonly #outcomes: SendOutcomes;
  readonly #lateOutcomes: LateOutcomes;
  readonly #deliveries: Deliveries;
  readonly #lateReceipts: LateReceipts;
  readonly #onChanged: (threadId: string) => void;
  readonly #onSettled: () => void;

  constructor(options: {
    store: StateStore;
    chatDb: () => ReceiptSource | undefined;
    epoch: () => number;
    clock: Clock;
    telemetry: Telemetry;
    settleMs: number;
    outcomes: SendOutcomes;
    /** Sends of this thread may be in another state: those behind a part that failed after all. */
    onChanged: (threadId: string) => void;
    /** Acks and events may be waiting. */
    onSettled: () => void;
    turn: (work: () => void) => void;
  }) {
    this.#store = options.store;
    this.#outcomes = options.outcomes;
    this.#onChanged = options.onChanged;
    this.#onSettled = options.onSettled;
    this.#lateOutcomes = new LateOutcomes(options);
    this.#deliveries = new Deliveries({ ...options, onNews: (send, state) => this.#news(send, state) });
    this.#lateReceipts = new LateReceipts({ ...options, onRow: (send, row) => this.#late(send, row) });
  }

  /** The agent started, or the Mac woke up. */
  started(): void {
    this.#deliveries.started();
    this.#lateReceipts.started();
  }

  chatDbChanged(): void {
    this.#deliveries.changed();
    this.#lateReceipts.changed();
  }

  /** A send was confirmed, failed by its row, or ended as unknown. `isAlone`: only one attempt can have left a row. */
  over(sendId: number, isAlone: boolean): void {
    const send = this.#store.sends.byId(sendId);
    if (send?.state === 'unknown' || (send?.state === 'confirmed' && !isAlone)) this.#lateReceipts.watch(send);
    this.#deliveries.changed();
  }

  stop(): void {
    this.#deliveries.stop();
    this.#lateReceipts.stop();
  }

  #news(send: SendRow, state: ReceiptState): void {
    const isRefused = state.error !== 0 && send.state === 'confirmed' && state.readAt === undefined;
    if (isRefused) this.#outcomes.received(send, state);
    else this.#outcomes.arrived(send, state);
    this.#onChanged(send.threadId);
    this.#onSettled();
  }

  #late(send: SendRow, row: ChatRow): void {
    if (send.state === 'unknown') {
      if (row.error !== 0) this.#refused(send, row);
      else if (this.#lateOutcomes.confirmed(send, row)) this.over(send.sendId, send.attempts < 2);
    } else if (row.error !== 0) this.#lateOutcomes.refused(send, row);
    else this.#lateOutcomes.twice(send, row);
    this.#onChanged(send.threadId);
    this.#onSettled();
  }

  /** Of two attempts the other may have gone out. */
  #refused(send: SendRow, row: ChatRow): void {
    if (send.attempts - this.#store.spentRows.refused(send.sendId) <= 1) {
      this.#outcomes.received(send, row);
      return;
    }
    this.#lateOutcomes.refused(send, row);
    this.over(send.sendId, false);
  }
}
