import type { Begun } from '../state/SendPace.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { MessagingSettings } from './MessagingSettings.ts';
import { SlidingWindow } from './SlidingWindow.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The keys of sending.rate. */
export type Limit = 'per_minute' | 'per_hour' | 'new_threads_per_day';

/**
 * Guards the Apple ID: Apple blocks one that sends like a machine. Every send counts once, by its last attempt.
 *
 * What counts is in the rows of `sends`, so that a restart changes nothing: at the start the windows are filled from
 * them, and then follow what is begun. A row from the future means that the wall clock was set back; it counts as begun
 * at the start, and so holds up sending for one window at most.
 */
export class RateGuard {
  readonly limits: MessagingSettings['rate'];
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #minute: SlidingWindow<number>;
  readonly #hour: SlidingWindow<number>;
  readonly #newThreads: SlidingWindow<string>;

  constructor(options: { store: StateStore; clock: Clock; limits: MessagingSettings['rate'] }) {
    const { perMinute, perHour, newThreadsPerDay } = options.limits;
    this.limits = options.limits;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#minute = new SlidingWindow({ limit: perMinute, windowMs: MINUTE_MS });
    this.#hour = new SlidingWindow({ limit: perHour, windowMs: HOUR_MS });
    this.#newThreads = new SlidingWindow({ limit: newThreadsPerDay, windowMs: DAY_MS });
  }

  start(): void {
    const { sendPace } = this.#store;
    const now = this.#clock.now();
    for (const window of [this.#minute, this.#hour]) {
      if (window.limit > 0) this.#fill(window, sendPace.begunSince(now - window.windowMs, window.limit), now);
    }
    if (this.#newThreads.limit > 0) this.#fill(this.#newThreads, sendPace.openedSince(now - DAY_MS), now);
  }

  /** The limit that keeps this send from being begun, and for how long; undefined: none. */
  heldBack(sendId: number): { readonly limit: Limit; readonly ms: number } | undefined {
    const now = this.#clock.monotonic();
    const minute = this.#minute.waitMs(sendId, now);
    const hour = this.#hour.waitMs(sendId, now);
    if (hour > minute) return { limit: 'per_hour', ms: hour };
    return minute > 0 ? { limit: 'per_minute', ms: minute } : undefined;
  }

  /** How long a thread that chat.db does not know must wait for its first bubble, ms. */
  newThreadWaitMs(threadId: string): number {
    return this.#newThreads.waitMs(threadId, this.#clock.monotonic());
  }

  begun(send: { sendId: number; threadId: string }, opensThread: boolean): void {
    const now = this.#clock.monotonic();
    this.#minute.begin(send.sendId, now);
    this.#hour.begin(send.sendId, now);
    if (opensThread) this.#newThreads.begin(send.threadId, now);
  }

  /** `begun`: newest first. */
  #fill<Key>(window: SlidingWindow<Key>, begun: readonly Begun<Key>[], now: number): void {
    const monotonic = this.#clock.monotonic();
    for (const { key, at } of begun.toReversed()) window.begin(key, monotonic - Math.max(0, now - at));
  }
}
