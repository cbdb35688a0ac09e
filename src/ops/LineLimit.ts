import type { Clock } from '../util/Clock.ts';

/** Lines a minute of one kind: enough to see a pattern. A backend may send a thousand bad frames in a second. */
const LINES_A_MINUTE = 10;
const MINUTE_MS = 60_000;

/** Keeps lines whose number somebody else decides from turning everything else out of the log. */
export class LineLimit {
  readonly #clock: Clock;
  /** Monotonic, ms. */
  #minuteStartedAt = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #passedOver = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What to add to the line, mostly nothing; undefined: the minute has had its lines. */
  next(): string | undefined {
    const now = this.#clock.monotonic();
    if (now - this.#minuteStartedAt >= MINUTE_MS) {
      this.#minuteStartedAt = now;
      this.#lines = 0;
    }
    if (this.#lines >= LINES_A_MINUTE) {
      this.#passedOver += 1;
      return undefined;
    }
    this.#lines += 1;
    const note = this.#passedOver > 0 ? ` (and ${this.#passedOver} more since the line before)` : '';
    this.#passedOver = 0;
    return note;
  }
}
