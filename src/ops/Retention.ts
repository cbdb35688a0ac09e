import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { ClockJumps, FINAL_SETTLE_MS } from '../util/ClockJumps.ts';

/** Rests between rounds; a day's rows are pruned in a few batches. */
const ROUND_MS = 3_600_000;
/** Rests between batches, so that messages go first. */
const BATCH_MS = 1_000;

/**
 * Deletes what retention no longer keeps, a batch at a time. What it deletes is what keeps a message from being taken in
 * twice, and nothing brings it back: so it waits until the wall clock has stood for an hour, from the start as well.
 */
export class Retention {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #jumps: ClockJumps;
  #timer: Timer | undefined;

  /** `onError` gets what the store throws; EDGE_STATE_FULL passes, EDGE_STATE_IO must end the agent. */
  constructor(options: { store: StateStore; clock: Clock; onError: (error: unknown) => void }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#onError = options.onError;
    this.#jumps = new ClockJumps({ clock: options.clock, settleMs: FINAL_SETTLE_MS, fromStart: true });
  }

  start(): void {
    this.#again(this.#jumps.doubtMs());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #again(ms: number): void {
    this.#timer = this.#clock.after(ms, () => this.#again(this.#prune()));
  }

  /** How long to rest now, ms. */
  #prune(): number {
    const doubtMs = this.#jumps.doubtMs();
    if (doubtMs > 0) return doubtMs;
    try {
      return this.#store.prune(this.#clock.now()) > 0 ? BATCH_MS : ROUND_MS;
    } catch (error) {
      this.#onError(error);
      return ROUND_MS;
    }
  }
}
