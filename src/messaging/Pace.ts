import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { MessagingSettings } from './MessagingSettings.ts';
import { type Limit, RateGuard } from './RateGuard.ts';
import { RateWatch } from './RateWatch.ts';
import type { SendQueue } from './SendQueue.ts';

/** How often it is looked whether a person to whom nothing may be sent yet has written first, ms. */
const NEW_THREAD_LOOK_MS = 5000;

export type PaceSettings = Pick<MessagingSettings, 'bubblePause' | 'allowNewThreads' | 'rate'>;

export type Turn =
  | { readonly send: SendRow }
  /** Nothing may start now; `waitMs` is until it is to be asked again, Infinity when only a change can help. */
  | { readonly send: undefined; readonly waitMs: number };

/** What sending.rate holds back. */
export interface HeldBack {
  readonly bubbles: number;
  /** When the first of them may go, ms since 1970; undefined when there is none. */
  readonly nextAt: number | undefined;
}

/** Hands out the sends, each when it is its turn and no limit is against it. What is held back keeps its place. */
export class Pace {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #queue: SendQueue;
  #settings: PaceSettings;
  #guard: RateGuard;
  readonly #watch: RateWatch;
  /** Against all threads when it was last asked, until then in monotonic ms. */
  #held: { readonly limit: Limit; readonly until: number } | undefined;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    queue: SendQueue;
    settings: PaceSettings;
  }) {
    const { store, clock, telemetry, settings } = options;
    this.#store = store;
    this.#clock = clock;
    this.#queue = options.queue;
    this.#settings = settings;
    this.#guard = new RateGuard({ store, clock, limits: settings.rate });
    this.#watch = new RateWatch({ clock, telemetry });
  }

  start(): void {
    this.#guard.start();
  }

  /** In place of those before; from the rows of what was begun, as at a start. */
  set(settings: PaceSettings): void {
    this.#settings = settings;
    this.#guard = new RateGuard({ store: this.#store, clock: this.#clock, limits: settings.rate });
    this.#guard.start();
    this.#held = undefined;
  }

  /** The send to start now. Taking it counts as its thread's turn. */
  next(): Turn {
    const next = this.#queue.next();
    const held = next.head && this.#guard.heldBack(next.head.sendId);
    this.#held = held && { limit: held.limit, until: this.#clock.monotonic() + held.ms };
    if (next.head && !held) {
      if (this.#queue.threadsSetAside().length > 0) this.#note('new_threads_per_day');
      this.#queue.served(next.head.threadId);
      return { send: this.#store.sends.byId(next.head.sendId)! };
    }
    const limit = held?.limit ?? (this.#queue.threadsSetAside().length > 0 ? 'new_threads_per_day' : undefined);
    const waitMs = next.head ? (held?.ms ?? 0) : next.waitMs;
    return { send: undefined, waitMs: Math.min(waitMs, this.#note(limit)) };
  }

  /**
   * Whether a bubble may be the first of a thread that chat.db does not know. `later`: its thread waits, the others go
   * on.
   */
  admitsNewThread(threadId: string): 'yes' | 'no' | 'later' {
    if (!this.#settings.allowNewThreads) return 'no';
    const waitMs = this.#guard.newThreadWaitMs(threadId);
    if (waitMs === 0) return 'yes';
    this.#queue.setAside(threadId, Math.min(waitMs, NEW_THREAD_LOOK_MS));
    return 'later';
  }

  /** It is written down that the send was begun. */
  begun(send: SendRow, opensThread: boolean): void {
    this.#guard.begun(send, opensThread);
    this.#queue.takeBack(send.threadId);
  }

  heldBack(): HeldBack {
    if (this.#held && this.#held.until <= this.#clock.monotonic()) this.#held = undefined;
    const bubbles = this.#waiting();
    if (bubbles === 0) return { bubbles, nextAt: undefined };
    const leftMs = this.#held
      ? this.#held.until - this.#clock.monotonic()
      : Math.min(...this.#queue.threadsSetAside().map((threadId) => this.#guard.newThreadWaitMs(threadId)));
    return { bubbles, nextAt: Math.ceil(this.#clock.now() + Math.max(0, leftMs)) };
  }

  #waiting(): number {
    const { sendPace } = this.#store;
    const now = this.#clock.now();
    if (this.#held) return sendPace.waiting(now);
    return this.#queue.threadsSetAside().reduce((sum, threadId) => sum + sendPace.waiting(now, threadId), 0);
  }

  /** @returns when it is to be noted again at the latest, ms */
  #note(limit: Limit | undefined): number {
    return this.#watch.note(limit && this.#named(limit), () => this.#waiting());
  }

  #named(limit: Limit): string {
    const { perMinute, perHour, newThreadsPerDay } = this.#settings.rate;
    const value = { per_minute: perMinute, per_hour: perHour, new_threads_per_day: newThreadsPerDay }[limit];
    return `sending.rate.${limit} is ${value}`;
  }
}
