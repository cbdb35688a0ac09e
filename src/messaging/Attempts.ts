import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { RetryKind, Telemetry } from '../util/Telemetry.ts';
import { Aftermath } from './Aftermath.ts';
import { isClaimed } from './claims.ts';
import { ForgottenBubbles } from './ForgottenBubbles.ts';
import { LateOutcomes } from './LateOutcomes.ts';
import { prepareSend, type Ready } from './prepareSend.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { ReceiptWatch } from './ReceiptWatch.ts';
import { SendOutcomes } from './SendOutcomes.ts';
import { briefly, type Verdict } from './scriptErrors.ts';
import { mayGoBySms, requeueBySms } from './smsFallback.ts';

/** Attempts that may have reached Messages; another could be one bubble too many. */
const MAX_ATTEMPTS = 2;

/** Why a bubble is tried again, or is not. */
export interface Why {
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface AttemptsOptions {
  readonly store: StateStore;
  /** Undefined while chat.db cannot be opened. */
  readonly chatDb: () => ReceiptSource | undefined;
  readonly epoch: () => number;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settleSeconds: number;
  /** What follows the first attempt without a receipt: one more, or unknown at once. @default 'retry' */
  readonly onMissingReceipt?: 'retry' | 'report';
  /** A text that iMessage refuses to a number may go by SMS, once. */
  readonly smsFallback: boolean;
  /** Acks and events may be waiting. */
  readonly onSettled: () => void;
  /** A bubble was handed over, and Messages did not take it or left no receipt: it may hang. @default nothing */
  readonly onStall?: () => void;
}

/**
 * What becomes of attempts once osascript was started for them: each ends with a receipt, with another attempt, or
 * without either. Every decision is one transaction.
 */
export class Attempts {
  readonly #store: StateStore;
  readonly #chatDb: () => ReceiptSource | undefined;
  readonly #epoch: () => number;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #onMissingReceipt: 'retry' | 'report';
  readonly #smsFallback: boolean;
  readonly #onSettled: () => void;
  readonly #onStall: () => void;
  readonly #onChanged: (threadId: string) => void;
  readonly #outcomes: SendOutcomes;
  readonly #watch: ReceiptWatch;
  readonly #lateOutcomes: LateOutcomes;
  readonly #aftermath: Aftermath;
  readonly #forgotten: ForgottenBubbles;

  constructor(
    options: AttemptsOptions & {
      /** The state of a send of this thread is another. */
      onChanged: (threadId: string) => void;
      /** Runs what a timer started; it may end sends. */
      turn: (work: () => void) => void;
    },
  ) {
    const { store, chatDb, epoch, clock, telemetry, turn } = options;
    const settleMs = options.settleSeconds * 1000;
    this.#store = store;
    this.#chatDb = chatDb;
    this.#epoch = epoch;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#onMissingReceipt = options.onMissingReceipt ?? 'retry';
    this.#smsFallback = options.smsFallback;
    this.#onSettled = options.onSettled;
    this.#onStall = options.onStall ?? (() => {});
    this.#onChanged = options.onChanged;
    this.#outcomes = new SendOutcomes({ store, clock, telemetry });
    this.#watch = new ReceiptWatch({
      chatDb,
      epoch,
      claimed: (guid, sendId) => isClaimed(store, guid, sendId),
      isSpent: (guid) => store.spentRows.has(guid),
      isByChat: (send) => this.#addressed(send)?.args[0] === 'chat',
      clock,
      telemetry,
      settleMs,
      onReceipt: (send, row) => this.#received(send, row),
      onNone: (send, isSure) => this.#noReceipt(send, isSure),
      onGhost: (send, row) => this.#ghost(send, row),
      turn,
    });
    this.#lateOutcomes = new LateOutcomes({ store, clock, telemetry });
    this.#aftermath = new Aftermath({ ...options, settleMs, outcomes: this.#outcomes, turn });
    this.#forgotten = new ForgottenBubbles({ ...options, settleMs, onEvent: options.onSettled });
  }

  /**
   * Sends that were with Messages when the agent ended are looked for first: each gets a full settle time from now, in
   * which its thread stands still, because its osascript may have outlived us.
   */
  start(): void {
    for (const send of this.#store.sends.inFlight()) {
      this.#watch.add(send);
      this.#watch.settle(send.sendId);
    }
    this.#aftermath.started();
    this.#forgotten.start();
  }

  /** The Mac slept. */
  woke(): void {
    this.#aftermath.started();
  }

  /** Looks for receipts. */
  look(): void {
    this.#watch.look();
  }

  /** chat.db changed, or was opened: news of bubbles that are over may be there. */
  chatDbChanged(): void {
    this.#aftermath.chatDbChanged();
  }

  stop(): void {
    this.#watch.stop();
    this.#aftermath.stop();
  }

  /**
   * What is known of earlier attempts of a send whose turn it is, those included that state.db has forgotten: `over` it
   * needs no other; `unreadable` chat.db cannot be asked now.
   */
  before(send: SendRow): 'open' | 'over' | 'unreadable' {
    const isFirst = send.attempts === 0 && !isAfterGhost(send);
    const late = isFirst ? this.#forgotten.receipt(send) : this.#watch.lateReceipt(send);
    if (late === false) return 'unreadable';
    const isUnsure = late === 'unsure';
    if (late && !isUnsure && this.#received(send, late)) return 'over';
    const mayBeOut = isFirst ? isUnsure : this.#openAttempts(send) > 0;
    const mayBeTriedAgain = this.#onMissingReceipt === 'retry' && !isUnsure && !this.#isOfAnotherChatDb(send);
    if (mayBeTriedAgain || !mayBeOut) return 'open';
    this.#unknown(send);
    return 'over';
  }

  /** Whether nothing was ever tried for the send, and nothing can have been that state.db has forgotten. */
  isNew(send: SendRow): boolean {
    return send.attempts === 0 && send.errorCode === null && !this.#forgotten.concerns(send);
  }

  /** osascript starts. */
  begun(send: SendRow): void {
    this.#watch.add(send);
  }

  /**
   * osascript ended. May be called again when state.db took nothing.
   * @returns whether the next form of address is to be tried
   */
  ended(send: SendRow, verdict: Verdict, nextForm: number | undefined): boolean {
    const { sendId } = send;
    if (!this.#watch.has(sendId)) return false; // the receipt was there before osascript had ended
    if (verdict.kind === 'accepted' || verdict.kind === 'unknown') {
      this.#watch.settle(sendId);
      this.#watch.look();
      if (verdict.kind === 'accepted' && this.#watch.has(sendId)) {
        this.#store.transaction(() => this.#store.sends.markAccepted(sendId, this.#clock.now()));
      }
      return false;
    }
    const others = this.#openAttempts(send) - 1;
    if (others > 0) {
      this.#watch.look();
      if (!this.#watch.has(sendId)) return false;
    }
    const isNextForm = verdict.kind === 'next-form' && nextForm !== undefined;
    if (isNextForm) this.#again(send, { uncounted: true, addressForm: nextForm }, verdict, 'by another form');
    else if (verdict.kind === 'paused') {
      const round = verdict.code === 'EDGE_SEND_NO_ACCOUNT' ? { addressForm: 0 } : {};
      this.#again(send, { uncounted: true, ...round }, verdict, 'later', isAfterGhost(send));
    } else this.#nowhere(send, others, verdict);
    this.#watch.forget(sendId);
    return isNextForm;
  }

  /** It cannot be begun, now or ever. */
  failed(send: SendRow, why: Why): void {
    this.#nowhere(send, this.#openAttempts(send), why);
  }

  /** There will be no other attempt. Nothing went out, unless by one of the `others`, of which nothing is known. */
  #nowhere(send: SendRow, others: number, why: Why): void {
    if (others > 0) {
      this.#unknown(send);
      return;
    }
    const before = send.smsFallback ? 'by SMS, after message.error 22 as iMessage: ' : '';
    this.#outcomes.failed(send, why.code, `${before}${why.detail}`);
    this.#over(send);
  }

  /** Attempts of which it is not known that nothing came of them, the one under way included. */
  #openAttempts({ sendId, attempts }: SendRow): number {
    return attempts === 0 ? 0 : attempts - this.#store.spentRows.refused(sendId);
  }

  /** @returns false when the row is of one attempt and tells nothing of the other, which may have gone out */
  #received(send: SendRow, row: ChatRow): boolean {
    const othersOpen = this.#openAttempts(send) > 1;
    if (this.#smsFallback && !othersOpen && mayGoBySms(send, row)) {
      const detail = requeueBySms(this.#store, send, row, this.#clock.now());
      this.#onChanged(send.threadId);
      const { sendId, threadId } = send;
      this.#telemetry.sendRetried({ sendId, threadId, code: 'EDGE_SEND_REFUSED', detail, how: 'by SMS' });
      return true;
    }
    if (row.error !== 0 && othersOpen) {
      this.#lateOutcomes.refused(send, row);
      return false;
    }
    this.#outcomes.received(send, row);
    this.#aftermath.over(send.sendId, send.attempts < 2 && !isAfterGhost(send));
    this.#over(send);
    return true;
  }

  #noReceipt(send: SendRow, isSure: boolean): void {
    this.#onStall();
    const isLast = send.attempts >= MAX_ATTEMPTS || this.#onMissingReceipt === 'report' || !isSure;
    if (isLast || this.#isOfAnotherChatDb(send)) this.#unknown(send);
    else
      this.#again(
        send,
        {},
        { code: 'EDGE_SEND_UNCONFIRMED', detail: 'no receipt within the settle time' },
        'once more',
      );
  }

  /** A chat.db that took the place of the one it was written to may be older than the bubble: it proves nothing. */
  #isOfAnotherChatDb(send: SendRow): boolean {
    return send.watermarkEpoch !== this.#epoch();
  }

  #unknown(send: SendRow): void {
    this.#outcomes.unknown(send);
    this.#aftermath.over(send.sendId, false);
    this.#over(send);
  }

  /** An attempt went nowhere. Of the ones before it nothing is known, if there were any. */
  #ghost(send: SendRow, row: ChatRow): boolean {
    const addressed = this.#addressed(send);
    if (!addressed) return false;
    const { nextForm } = addressed;
    this.#store.transaction(() => {
      this.#lateOutcomes.ghost(send, row);
      const why = { code: 'EDGE_SEND_GHOST', detail: 'Messages wrote an empty row that belongs to no chat' } as const;
      if (nextForm !== undefined) {
        this.#again(send, { uncounted: true, addressForm: nextForm }, why, 'by another form');
      } else this.#nowhere(send, this.#openAttempts(send) - 1, why);
    });
    return true;
  }

  /** Undefined when that cannot be known now. */
  #addressed(send: SendRow): Ready | undefined {
    const db = this.#chatDb();
    try {
      const prepared = db && prepareSend(send, db);
      return prepared?.kind === 'ready' ? prepared : undefined;
    } catch (error) {
      this.#telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), `after send ${send.sendId}: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** `staysGhost`: what the row says of the attempt before is still to be known. */
  #again(
    send: SendRow,
    change: { uncounted?: boolean; addressForm?: number },
    why: Why,
    how: RetryKind,
    staysGhost = false,
  ): void {
    const { sendId, threadId } = send;
    const { code, detail } = why;
    const kept = staysGhost ? 'EDGE_SEND_GHOST' : code;
    this.#store.transaction(() => this.#store.sends.requeue(sendId, { ...change, code: kept, detail }));
    this.#onChanged(threadId);
    this.#store.afterCommit(() =>
      this.#telemetry.sendRetried({ sendId, threadId, code, detail: briefly(code, detail), how }),
    );
  }

  #over(send: SendRow): void {
    this.#onChanged(send.threadId);
    this.#store.afterCommit(() => this.#onSettled());
  }
}

/** What was taken for a ghost may yet be filled in. */
function isAfterGhost(send: SendRow): boolean {
  return send.errorCode === 'EDGE_SEND_GHOST';
}
