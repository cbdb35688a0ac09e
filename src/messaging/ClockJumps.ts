import type { Clock } from '../util/Clock.ts';

/** A wall clock that runs ahead of the monotonic one by this much at once was set, not corrected, ms. */
const JUMP_MS = 10 * 60_000;

/**
 * Tells whether the wall clock stands where it jumped to only now. A Mac without a good clock of its own may show a wrong
 * year for some moments until the network tells it the time; what is due by such a clock is neither sent nor given up.
 * Sleep is no jump on macOS, whose monotonic clock goes on meanwhile.
 */
export class ClockJumps {
  readonly #clock: Clock;
  readonly #settleMs: number;
  #wall: number;
  #monotonic: number;
  #doubtfulUntil = Number.NEGATIVE_INFINITY;

  /** `settleMs`: how long after a jump it takes until the clock is believed. */
  constructor(options: { clock: Clock; settleMs: number }) {
    this.#clock = options.clock;
    this.#settleMs = options.settleMs;
    this.#wall = options.clock.now();
    this.#monotonic = options.clock.monotonic();
  }

  /** How long the wall clock is in doubt yet, ms; 0 when it is believed. It has to be asked once a minute or so. */
  doubtMs(): number {
    const wall = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const ahead = wall - this.#wall - (monotonic - this.#monotonic);
    this.#wall = wall;
    this.#monotonic = monotonic;
    if (ahead > JUMP_MS) this.#doubtfulUntil = monotonic + this.#settleMs;
    return Math.max(0, this.#doubtfulUntil - monotonic);
  }
}
