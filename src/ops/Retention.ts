import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';

/** Rests between rounds; a day's rows are pruned in a few batches. */
const ROUND_MS = 3_600_000;
/** Rests between batches, so that messages go first. */
const BATCH_MS = 1_000;
/** The start of the agent has better things to do. */
const FIRST_MS = 60_000;

/** Deletes what retention no longer keeps, a batch at a time. */
export class Retention {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #timer: Timer | undefined;

  /** `onError` gets what the store throws; EDGE_STATE_FULL passes, EDGE_STATE_IO must end the agent. */
  constructor(options: { store: StateStore; clock: Clock; onError: (error: unknown) => void }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#onError = options.onError;
  }

  start(): void {
    this.#again(FIRST_MS);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #again(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      let left = 0;
      try {
        left = this.#store.prune(this.#clock.now());
      } catch (error) {
        this.#onError(error);
      }
      this.#again(left > 0 ? BATCH_MS : ROUND_MS);
    });
  }
}
