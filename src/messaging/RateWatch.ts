import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';

/** Shorter waits are what a limit is for, ms; and so long it must be over, for a limit that is full frees one by one. */
const TELL_AFTER_MS = 10_000;

/**
 * Raises EDGE_SEND_RATE when a limit has held bubbles back for TELL_AFTER_MS.
 * ```
 * free ──held back──▶ held ──10 s──▶ told ──free for 10 s──▶ free
 * ```
 */
export class RateWatch {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  /** Monotonic ms. */
  #heldSince: number | undefined;
  /** Monotonic ms; since when it is held no more. */
  #freeSince: number | undefined;
  #told: string | undefined;

  constructor(options: { clock: Clock; telemetry: Telemetry }) {
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
  }

  /**
   * `limit` (its name and value, for people) holds something back now, or undefined: nothing does. `waiting` counts what.
   * @returns when it is to be noted again at the latest, ms
   */
  note(limit: string | undefined, waiting: () => number): number {
    const now = this.#clock.monotonic();
    if (limit === undefined) return this.#free(now);
    this.#freeSince = undefined;
    this.#heldSince ??= now;
    const leftMs = this.#heldSince + TELL_AFTER_MS - now;
    if (leftMs > 0) return Math.ceil(leftMs);
    if (this.#told !== limit) {
      this.#told = limit;
      const count = waiting();
      this.#telemetry.conditionRaised(
        'EDGE_SEND_RATE',
        `${limit}; ${count} ${count === 1 ? 'bubble waits' : 'bubbles wait'}`,
      );
    }
    return Number.POSITIVE_INFINITY;
  }

  #free(now: number): number {
    if (this.#heldSince === undefined) return Number.POSITIVE_INFINITY;
    this.#freeSince ??= now;
    const leftMs = this.#freeSince + TELL_AFTER_MS - now;
    if (leftMs > 0) return Math.ceil(leftMs);
    if (this.#told !== undefined) this.#telemetry.conditionCleared('EDGE_SEND_RATE');
    this.#heldSince = undefined;
    this.#freeSince = undefined;
    this.#told = undefined;
    return Number.POSITIVE_INFINITY;
  }
}
