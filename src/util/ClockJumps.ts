import type { Clock } from './Clock.ts';

/** A wall clock that runs ahead of the monotonic one by this much at once was set, not corrected, ms. */
const JUMP_MS = 10 * 60_000;
/** One by so much is another year rather than the time that was missing, ms. */
const FAR_MS = 30 * 86_400_000;
/**
 * How long a wall clock must have stood before anything is deleted or given up by it, ms. A minute early or a day late
 * matter little to either; what was done by a wrong year cannot be taken back.
 */
export const FINAL_SETTLE_MS = 3_600_000;

/**
 * Tells whether the wall clock stands where it jumped to only now. A Mac without a good clock of its own may show a wrong
 * year for some moments until the network tells it the time; what is due by such a clock is neither sent nor given up.
 * Sleep is no jump on macOS, whose monotonic clock goes on meanwhile.
 */
export class ClockJumps {
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #farSettleMs: number;
  #wall: number;
  #monotonic: number;
  #doubtfulUntil = Number.NEGATIVE_INFINITY;

  /**
   * `settleMs`: how long after a jump it takes until the clock is believed, and `farSettleMs` after one of a month or
   * more, if that is longer; with `fromStart` also from now on, because it may have jumped before.
   */
  constructor(options: { clock: Clock; settleMs: number; farSettleMs?: number; fromStart?: boolean }) {
    this.#clock = options.clock;
    this.#settleMs = options.settleMs;
    this.#farSettleMs = options.farSettleMs ?? options.settleMs;
    this.#wall = options.clock.now();
    this.#monotonic = options.clock.monotonic();
    if (options.fromStart) this.#doubtfulUntil = this.#monotonic + this.#settleMs;
  }

  /**
   * How long the wall clock is in doubt yet, ms; 0 when it is believed. A jump counts from when it is asked for the first
   * time after it: the rarer that is, the longer is the doubt.
   */
  doubtMs(): number {
    const wall = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const ahead = wall - this.#wall - (monotonic - this.#monotonic);
    this.#wall = wall;
    this.#monotonic = monotonic;
    const settleMs = ahead > FAR_MS ? this.#farSettleMs : this.#settleMs;
    if (ahead > JUMP_MS) this.#doubtfulUntil = Math.max(this.#doubtfulUntil, monotonic + settleMs);
    return Math.max(0, this.#doubtfulUntil - monotonic);
  }
}
