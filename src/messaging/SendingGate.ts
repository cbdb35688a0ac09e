import { type BackoffPolicy, backoffMs } from '../util/backoff.ts';
import type { Clock } from '../util/Clock.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';

/** One probe a minute: macOS counts every refused event against the program, and a person has to act first. */
const NOT_PERMITTED_MS = 60_000;
/** Messages starts again in seconds; without jitter, because one Mac has one Messages. */
const BACKOFF: BackoffPolicy = { firstMs: 1000, maxMs: 60_000, jitter: 0 };
const noRandom: Random = () => 0;

/**
 * ```
 * open ──nothing can be sent──▶ closed ──time over──▶ probing (the next bubble is the probe) ──Messages answers──▶ open
 *                                 ▲                      │
 *                                 └──────the same────────┘
 * ```
 * Closed for all threads: what stops one bubble here stops every other.
 */
export class SendingGate {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  #standing: ErrorCode | undefined;
  #failures = 0;
  /** Monotonic ms. */
  #opensAt = 0;
  #isHeld = false;

  constructor(options: { clock: Clock; telemetry: Telemetry }) {
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
  }

  /** How long nothing may start, ms; 0 when open, Infinity while held. */
  closedForMs(): number {
    if (this.#isHeld) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#opensAt - this.#clock.monotonic());
  }

  /** Nothing starts until `release`, whatever else is known: Messages may hang, and an attempt would be lost on it. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
  }

  close(code: ErrorCode, detail: string): void {
    this.#failures++;
    const ms = code === 'EDGE_SEND_NOT_PERMITTED' ? NOT_PERMITTED_MS : backoffMs(BACKOFF, this.#failures, noRandom);
    this.#opensAt = this.#clock.monotonic() + ms;
    if (this.#standing === code) return;
    this.#clear();
    this.#standing = code;
    this.#telemetry.conditionRaised(code, detail);
  }

  /** Messages answered: it runs, and it may be asked. */
  open(): void {
    this.#failures = 0;
    this.#opensAt = 0;
    this.#clear();
  }

  #clear(): void {
    if (this.#standing === undefined) return;
    this.#telemetry.conditionCleared(this.#standing);
    this.#standing = undefined;
  }
}
