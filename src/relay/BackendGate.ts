import { type BackoffPolicy, backoffMs } from '../util/backoff.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Random } from '../util/Random.ts';

/** One try a minute while the backend refuses the secret, or there is none (protocol: retries). */
export const REFUSED_RETRY_MS = 60_000;

/**
 * Failures that are about the backend, not about the message: every other POST would fare the same. A number is a
 * fixed delay, ms; `backoff` doubles.
 */
const SHARED: Partial<Record<ErrorCode, number | 'backoff'>> = {
  EDGE_BACKEND_UNREACHABLE: 'backoff',
  EDGE_BACKEND_REDIRECT: 'backoff',
  EDGE_BACKEND_NOT_FOUND: 'backoff',
  EDGE_BACKEND_AUTH: REFUSED_RETRY_MS,
  EDGE_SECRET_MISSING: REFUSED_RETRY_MS,
  EDGE_STATE_FULL: 'backoff',
  EDGE_STATE_BUSY: 'backoff',
};

/**
 * Keeps 500 threads from knocking one by one at a backend that is away.
 * ```
 * open ──shared failure──▶ probing: one POST at a time, after a delay ──any answer──▶ open
 *                             └──────shared failure: longer delay──────┘
 * ```
 * The first probe goes at once: a single request that broke says little. Requests that were under way when the gate
 * closed do not count, or one outage would look like thirty-two.
 */
export class BackendGate {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #policy: BackoffPolicy;
  readonly #onOpen: () => void;
  #failures = 0;
  #round = 0;
  #notBefore = 0;
  #timer: Timer | undefined;

  constructor(o: { clock: Clock; random: Random; policy: BackoffPolicy; onOpen: () => void }) {
    this.#clock = o.clock;
    this.#random = o.random;
    this.#policy = o.policy;
    this.#onOpen = o.onOpen;
  }

  /** How many POSTs may be in flight now. */
  limit(most: number): number {
    if (this.#failures === 0) return most;
    return this.#clock.monotonic() >= this.#notBefore ? 1 : 0;
  }

  /** Handed back with the outcome of a POST that starts now. */
  get round(): number {
    return this.#round;
  }

  /** The backend answered, or is known to be there from elsewhere. */
  opens(): void {
    this.#failures = 0;
    this.#notBefore = 0;
    this.#round++;
    this.#timer?.cancel();
  }

  /** A POST of `round` failed with `code`; nothing changes when others would not meet the same. */
  failed(code: ErrorCode, round: number): void {
    const delay = SHARED[code];
    if (delay === undefined || round !== this.#round) return;
    this.#round++;
    this.#failures++;
    const backoff = this.#failures === 1 ? 0 : backoffMs(this.#policy, this.#failures - 1, this.#random);
    const waitMs = delay === 'backoff' ? backoff : delay;
    this.#notBefore = this.#clock.monotonic() + waitMs;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(waitMs, this.#onOpen);
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

/** Whether the failure is one that every message would meet. */
export function isShared(code: ErrorCode): boolean {
  return SHARED[code] !== undefined;
}
