import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';

interface Lane {
  /** The send whose turn it is in its thread, whatever its state. */
  head: SendRow;
  /** A bubble somewhere in the thread is urgent, so the ones before it are too. */
  immediate: boolean;
}

export type Turn =
  | { readonly send: SendRow }
  /** Nothing may start now; `dueAt` is when the next may, ms since 1970. */
  | { readonly send: undefined; readonly dueAt: number | undefined };

/**
 * Whose turn it is. A thread's bubbles keep their order: only its first open one can be next, and not while that one
 * is in flight, held or not due. Among threads: those with an immediate bubble first, then the one served longest ago.
 * Heads are remembered, so that a pick with thousands of rows waiting costs a pass over the threads and no query.
 */
export class SendQueue {
  readonly #store: StateStore;
  readonly #lanes = new Map<string, Lane>();
  /** Number of the turn a thread had last; only of threads with open sends. */
  readonly #served = new Map<string, number>();
  readonly #stale = new Set<string>();
  #allStale = true;
  #turns = 0;

  constructor(options: { store: StateStore }) {
    this.#store = options.store;
  }

  /** Rows of any thread may have changed. */
  invalidateAll(): void {
    this.#allStale = true;
  }

  invalidate(threadId: string): void {
    this.#stale.add(threadId);
  }

  /** The send to start now. Taking it counts as its thread's turn. */
  next(now: number): Turn {
    this.#refresh();
    let best: Lane | undefined;
    let dueAt: number | undefined;
    for (const lane of this.#lanes.values()) {
      if (lane.head.state !== 'queued') continue;
      const due = dueAtOf(lane.head, now);
      if (due > now) dueAt = Math.min(dueAt ?? due, due);
      else if (!best || this.#before(lane, best)) best = lane;
    }
    if (!best) return { send: undefined, dueAt };
    this.#served.set(best.head.threadId, ++this.#turns);
    return { send: best.head };
  }

  #before(a: Lane, b: Lane): boolean {
    if (a.immediate !== b.immediate) return a.immediate;
    const servedA = this.#served.get(a.head.threadId) ?? 0;
    const servedB = this.#served.get(b.head.threadId) ?? 0;
    return servedA === servedB ? a.head.sendId < b.head.sendId : servedA < servedB;
  }

  #refresh(): void {
    if (this.#allStale) {
      const open = new Set(this.#store.sends.openThreads());
      for (const threadId of this.#lanes.keys()) if (!open.has(threadId)) this.#forget(threadId);
      for (const threadId of open) this.#stale.add(threadId);
      this.#allStale = false;
    }
    for (const threadId of this.#stale) {
      const head = this.#store.sends.headOf(threadId);
      if (head) this.#lanes.set(threadId, { head, immediate: this.#store.sends.hasImmediate(threadId) });
      else this.#forget(threadId);
    }
    this.#stale.clear();
  }

  #forget(threadId: string): void {
    this.#lanes.delete(threadId);
    this.#served.delete(threadId);
  }
}

/** A row from the future means that the wall clock was set back: better early than late by as much. */
function dueAtOf(send: SendRow, now: number): number {
  return send.notBeforeAt === null || now < send.createdAt ? now : send.notBeforeAt;
}
