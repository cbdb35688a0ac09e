import type { Inbound, InboundRow } from '../state/Inbound.ts';
import type { Clock, Timer } from '../util/Clock.ts';

/** What stands at the head of a lane. */
export type LaneHead =
  | { readonly kind: 'start'; readonly row: InboundRow & { threadId: string } }
  /** Nothing to start until something happens that is told elsewhere: a POST ends, a row is completed. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'empty' };

/** Live rows of a thread go in the order in which they came, backfill beside them in the order of its dates. */
export type LaneKind = 'live' | 'backfill';

/**
 * The order of one thread's POSTs: each starts once the one before is written out, and none past one that is being
 * retried or parked. It remembers what is in flight and when retries are due; the rows themselves stay in state.db.
 */
export class ThreadLane {
  readonly threadId: string;
  readonly kind: LaneKind;
  readonly #inbound: Inbound;
  readonly #clock: Clock;
  readonly #maxInFlight: number;
  readonly #longestWaitMs: number;
  readonly #heldMs: (messageGuid: string) => number;
  /** inboundId → whether it is being retried. */
  readonly #inFlight = new Map<number, boolean>();
  /** inboundId → due, on the monotonic clock: a wall clock that steps must not stop a retry. */
  readonly #due = new Map<number, { at: number; code: string | null }>();
  #writing: number | undefined;
  #timer: Timer | undefined;

  constructor(o: {
    threadId: string;
    kind: LaneKind;
    inbound: Inbound;
    clock: Clock;
    maxInFlight: number;
    longestWaitMs: number;
    /** How long a message is still held back for its files, ms. */
    heldMs: (messageGuid: string) => number;
  }) {
    this.threadId = o.threadId;
    this.kind = o.kind;
    this.#inbound = o.inbound;
    this.#clock = o.clock;
    this.#maxInFlight = o.maxInFlight;
    this.#longestWaitMs = o.longestWaitMs;
    this.#heldMs = o.heldMs;
  }

  /** Nothing new could start now, whatever rows have come: looking can be spared. */
  get isBusy(): boolean {
    if (this.#writing !== undefined || this.#timer || this.#inFlight.size >= this.#maxInFlight) return true;
    return [...this.#inFlight.values()].includes(true);
  }

  /** The next row to post. `onDue` is called when one that is not due yet will be. */
  head(onDue: () => void): LaneHead {
    if (this.isBusy) return { kind: 'wait' };
    const row = this.#firstRows(this.#inFlight.size + 1).find((open) => !this.#inFlight.has(open.inboundId));
    if (!row) return this.#inFlight.size > 0 ? { kind: 'wait' } : { kind: 'empty' };
    if (row.state === 'parked') return { kind: 'wait' };
    const waitMs = Math.max(this.#dueIn(row), this.#heldMs(row.guid));
    if (waitMs > 0) {
      this.#timer = this.#clock.after(waitMs, () => {
        this.#timer = undefined;
        onDue();
      });
      return { kind: 'wait' };
    }
    return { kind: 'start', row: { ...row, threadId: this.threadId } };
  }

  started(row: InboundRow): void {
    this.#inFlight.set(row.inboundId, row.attempts > 0 || this.#due.has(row.inboundId));
    this.#writing = row.inboundId;
  }

  /** False when that was known. */
  writtenOut(row: InboundRow): boolean {
    if (this.#writing !== row.inboundId) return false;
    this.#writing = undefined;
    return true;
  }

  ended(row: InboundRow): void {
    this.writtenOut(row);
    this.#inFlight.delete(row.inboundId);
  }

  retryIn(row: InboundRow, ms: number, code: string | null): void {
    this.#due.set(row.inboundId, { at: this.#clock.monotonic() + ms, code });
  }

  /** Retries after a failure of which `isOver` are due at once. */
  hurry(isOver: (code: string | null) => boolean): void {
    for (const due of this.#due.values()) if (isOver(due.code)) due.at = 0;
    this.stop();
  }

  settled(row: InboundRow): void {
    this.#due.delete(row.inboundId);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #firstRows(limit: number): InboundRow[] {
    const { threadId } = this;
    return this.kind === 'live' ? this.#inbound.openOf(threadId, 0, limit) : this.#inbound.backfillOf(threadId, limit);
  }

  #dueIn(row: InboundRow): number {
    const due = this.#due.get(row.inboundId);
    if (due !== undefined) return due.at - this.#clock.monotonic();
    const now = this.#clock.now();
    // From before a restart, by a wall clock that may have stepped since. Where the row itself is of a time to come, it was
    // set back, and says nothing of the wait; which is never longer than a back-off can be.
    if (row.nextAttemptAt === null || row.createdAt > now) return 0;
    const left = Math.min(row.nextAttemptAt - now, this.#longestWaitMs);
    this.retryIn(row, left, row.errorCode);
    return left;
  }
}
