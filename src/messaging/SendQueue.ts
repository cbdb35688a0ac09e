import type { Head } from '../state/SendPace.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { MessagingSettings } from './MessagingSettings.ts';
import { MAX_BURST_DELAY_MS, pauseMs } from './pauses.ts';

export type NextHead =
  | { readonly head: Head }
  /** Nothing may start now; `waitMs` is until the next may, Infinity when nothing waits for its time. */
  | { readonly head: undefined; readonly waitMs: number };

/**
 * Whose turn it is. A thread's bubbles keep their order: only its first open one can be next, and not while that one
 * is in flight, held or not due. Among threads: those with an immediate bubble first, then the one served longest ago.
 * One that could not be begun, as where chat.db is damaged, waits for its turn like any other until it could.
 * Heads are remembered, so that a pick with thousands of rows waiting costs a pass over the threads and no query.
 */
export class SendQueue {
  readonly #store: StateStore;
  readonly #clock: Clock;
  #bubblePause: MessagingSettings['bubblePause'];
  readonly #heads = new Map<string, Head>();
  /** Number of the turn a thread had last; only of threads with open sends. */
  readonly #served = new Map<string, number>();
  /** Until when threads are passed over, monotonic ms. */
  readonly #setAside = new Map<string, number>();
  /** Threads whose next bubble could not be begun when it had its turn. */
  readonly #stuck = new Set<string>();
  readonly #stale = new Set<string>();
  #allStale = true;
  #turns = 0;

  constructor(options: { store: StateStore; clock: Clock; bubblePause: MessagingSettings['bubblePause'] }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#bubblePause = options.bubblePause;
  }

  /** Rows of any thread may have changed. */
  invalidateAll(): void {
    this.#allStale = true;
  }

  invalidate(threadId: string): void {
    this.#stale.add(threadId);
  }

  /** The head to start now. */
  next(): NextHead {
    this.#refresh();
    const now = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    let best: Head | undefined;
    let waitMs = Number.POSITIVE_INFINITY;
    for (const head of this.#heads.values()) {
      if (head.state !== 'queued') continue;
      const asideMs = (this.#setAside.get(head.threadId) ?? monotonic) - monotonic;
      const headMs = Math.max(asideMs, this.#dueAt(head, now) - now);
      if (headMs > 0) waitMs = Math.min(waitMs, headMs);
      else if (!best || this.#before(head, best)) best = head;
    }
    return best ? { head: best } : { head: undefined, waitMs };
  }

  /** The thread had its turn. */
  served(threadId: string): void {
    this.#served.set(threadId, ++this.#turns);
  }

  /** The thread is passed over for `ms`, and then is next as before. It counts as set aside until `takeBack`. */
  setAside(threadId: string, ms: number): void {
    this.#setAside.set(threadId, this.#clock.monotonic() + ms);
  }

  takeBack(threadId: string): void {
    this.#setAside.delete(threadId);
  }

  /** Its next bubble could not be begun, and may not be for days. */
  stuck(threadId: string): void {
    this.#stuck.add(threadId);
  }

  /** Its next bubble was begun, or is over. */
  goesOn(threadId: string): void {
    this.#stuck.delete(threadId);
  }

  threadsSetAside(): string[] {
    return [...this.#setAside.keys()];
  }

  #before(a: Head, b: Head): boolean {
    const [urgentA, urgentB] = [a, b].map((head) => head.isUrgent === 1 && !this.#stuck.has(head.threadId));
    if (urgentA !== urgentB) return urgentA === true;
    const servedA = this.#served.get(a.threadId) ?? 0;
    const servedB = this.#served.get(b.threadId) ?? 0;
    return servedA === servedB ? a.sendId < b.sendId : servedA < servedB;
  }

  setBubblePause(pause: MessagingSettings['bubblePause']): void {
    this.#bubblePause = pause;
  }

  /** A time in a row that lies ahead means that the wall clock was set back: better early than late by as much. */
  #dueAt(head: Head, now: number): number {
    const wanted = head.notBeforeAt ?? now;
    const notBeforeAt = now < head.createdAt || wanted > now + MAX_BURST_DELAY_MS ? now : wanted;
    if (head.isUrgent || head.followsAt === null || now < head.followsAt) return notBeforeAt;
    return Math.max(notBeforeAt, head.followsAt + pauseMs(this.#bubblePause, head.chars));
  }

  #refresh(): void {
    if (this.#allStale) {
      const heads = this.#store.sendPace.heads();
      this.#heads.clear();
      for (const head of heads) this.#heads.set(head.threadId, head);
      for (const known of [this.#served, this.#setAside, this.#stuck]) {
        for (const threadId of known.keys()) if (!this.#heads.has(threadId)) known.delete(threadId);
      }
      this.#allStale = false;
    } else {
      for (const threadId of this.#stale) this.#readHead(threadId);
    }
    this.#stale.clear();
  }

  #readHead(threadId: string): void {
    const head = this.#store.sendPace.headOf(threadId);
    if (head) {
      this.#heads.set(threadId, head);
      return;
    }
    this.#heads.delete(threadId);
    this.#served.delete(threadId);
    this.#setAside.delete(threadId);
    this.#stuck.delete(threadId);
  }
}
