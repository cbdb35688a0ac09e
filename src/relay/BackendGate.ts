import { type BackoffPolicy, backoffMs } from '../util/backoff.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import type { ErrorCode } from '../util/errors.ts';
import { isNetworkCode, NETWORK_CODES } from '../util/networkCodes.ts';
import type { Random } from '../util/Random.ts';

/** One try a minute while the backend refuses the secret, or there is none (protocol: retries). */
export const REFUSED_RETRY_MS = 60_000;

/** What of the network waits how long: a key that is not the pinned one is no matter of seconds. */
export const BY_NETWORK: Partial<Record<ErrorCode, number | 'backoff'>> = {
  ...Object.fromEntries(NETWORK_CODES.map((code) => [code, 'backoff'])),
  EDGE_TLS_PIN: REFUSED_RETRY_MS,
};

/**
 * Failures that are about the backend, not about the message: every other POST would fare the same. A number is a
 * fixed delay, ms; `backoff` doubles.
 */
const SHARED: Partial<Record<ErrorCode, number | 'backoff'>> = {
  ...BY_NETWORK,
  EDGE_BACKEND_REDIRECT: 'backoff',
  EDGE_BACKEND_NOT_FOUND: 'backoff',
  EDGE_BACKEND_AUTH: REFUSED_RETRY_MS,
  EDGE_SECRET_MISSING: REFUSED_RETRY_MS,
  EDGE_STATE_FULL: 'backoff',
  EDGE_STATE_BUSY: 'backoff',
  EDGE_STATE_DIR: 'backoff',
};

/**
 * Keeps 500 threads from knocking one by one at a backend that is away.
 * ```
 * open ──shared failure──▶ probing: one POST at a time, after a delay ──any answer──▶ open
 *                             └──────shared failure: longer delay──────┘
 * ```
 * The first probe goes at once: a single request that broke says little. Requests that were under way when the gate
 * closed do not count, or one outage would look like thirty-two. Nor does a message that fails while others are
 * answered: one that the backend chokes on for ever must not hold up every thread each time it is tried.
 *
 * A backend that gets too many (429) is left alone for as long as it asks, and then tried with one POST; what was under
 * way before says nothing about that, however it ends.
 */
export class BackendGate {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #policy: BackoffPolicy;
  readonly #onOpen: () => void;
  #failures = 0;
  #round = 0;
  #notBefore = 0;
  /** Messages answered so far. */
  #answers = 0;
  /** Message not settled yet → #answers when it was first posted or last failed. */
  readonly #answersAt = new Map<number, number>();
  #timer: Timer | undefined;
  /** After a 429: not before `until`, monotonic ms; over when a POST of `round` or later is answered otherwise. */
  #pace: { until: number; round: number; timer: Timer } | undefined;

  constructor(o: { clock: Clock; random: Random; policy: BackoffPolicy; onOpen: () => void }) {
    this.#clock = o.clock;
    this.#random = o.random;
    this.#policy = o.policy;
    this.#onOpen = o.onOpen;
  }

  /** How many POSTs may be in flight now. */
  limit(most: number): number {
    const now = this.#clock.monotonic();
    if (this.#pace && now < this.#pace.until) return 0;
    if (this.#failures === 0) return this.#pace ? 1 : most;
    return now >= this.#notBefore ? 1 : 0;
  }

  /** Handed back with the outcome of a POST that starts now. */
  get round(): number {
    return this.#round;
  }

  /** The backend is known to be there. */
  opens(): void {
    this.#failures = 0;
    this.#notBefore = 0;
    this.#round++;
    this.#timer?.cancel();
  }

  /** A message is posted. */
  started(inboundId: number): void {
    if (!this.#answersAt.has(inboundId)) this.#answersAt.set(inboundId, this.#answers);
  }

  /** A POST of `round` was answered, well or badly. */
  answered(round: number): void {
    this.#answers++;
    if (this.#pace && round >= this.#pace.round) {
      this.#pace.timer.cancel();
      this.#pace = undefined;
    }
    this.opens();
  }

  /** A POST was answered that there are too many: come again in `waitMs`. */
  tooMany(waitMs: number): void {
    this.#pace?.timer.cancel();
    const until = Math.max(this.#clock.monotonic() + waitMs, this.#pace?.until ?? 0);
    const timer = this.#clock.after(until - this.#clock.monotonic(), this.#onOpen);
    this.#pace = { until, round: ++this.#round, timer };
  }

  /** A message was answered or set aside and will not be posted again. */
  settled(inboundId: number): void {
    this.#answersAt.delete(inboundId);
  }

  /** A POST of `round` failed with `code`; nothing changes when others would not meet the same. */
  failed(code: ErrorCode, round: number, inboundId: number): void {
    const delay = SHARED[code];
    const isItsOwn = this.#answers > (this.#answersAt.get(inboundId) ?? this.#answers);
    this.#answersAt.set(inboundId, this.#answers);
    if (delay === undefined || isItsOwn || round !== this.#round) return;
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
    this.#pace?.timer.cancel();
  }
}

/** Whether a retry need not wait any longer once the backend is known to be there. What it asked for itself stands. */
export function endsWithSight(code: string | null): boolean {
  return isNetworkCode(code) || code === 'EDGE_SECRET_MISSING';
}

/** The delay of a failure that has a fixed one, ms. */
export function fixedDelayOf(code: ErrorCode): number | undefined {
  const delay = SHARED[code];
  return delay === 'backoff' ? undefined : delay;
}

/** Whether the failure is one that every message would meet. */
export function isShared(code: ErrorCode): boolean {
  return SHARED[code] !== undefined;
}
