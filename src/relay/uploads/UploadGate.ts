import { type BackoffPolicy, backoffMs } from '../../util/backoff.ts';
import type { Clock, Timer } from '../../util/Clock.ts';
import { STORE_UNWILLING } from '../../util/EdgeError.ts';
import type { ErrorCode } from '../../util/errors.ts';
import type { Random } from '../../util/Random.ts';
import { BY_NETWORK, endsWithSight, REFUSED_RETRY_MS } from '../BackendGate.ts';

/** A backend without the endpoint may get it with its next version, ms. */
const MISSING_RETRY_MS = 300_000;

/** So many files in a row that the backend is too busy for are not those files' trouble. */
const BUSY_FILES = 3;
/** Nor is it asked less often than this then, ms: it is there, and the next file may fare better. */
const BUSY_MAX_MS = 60_000;

/** Failures that are about the backend, not about the file. A number is a fixed delay, ms. */
const SHARED: Partial<Record<ErrorCode, number | 'backoff'>> = {
  ...BY_NETWORK,
  EDGE_BACKEND_REDIRECT: 'backoff',
  EDGE_BACKEND_NOT_FOUND: MISSING_RETRY_MS,
  EDGE_BACKEND_AUTH: REFUSED_RETRY_MS,
  EDGE_SECRET_MISSING: REFUSED_RETRY_MS,
  EDGE_STATE_FULL: 'backoff',
  EDGE_STATE_BUSY: 'backoff',
  EDGE_STATE_DIR: 'backoff',
};

/**
 * Keeps a thousand files from knocking one by one at a backend that takes none now; with TLS each would be written out
 * for a 429.
 * ```
 * open ──shared failure──▶ closed for a while ──▶ one upload at a time ──answer──▶ open
 *                            └──────shared failure: longer──────┘
 * ```
 * A file that fails in this way waits for a time of its own too, so that one whose upload breaks off whenever it is
 * tried lets the others by.
 */
export class UploadGate {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #policy: BackoffPolicy;
  readonly #onOpen: () => void;
  /** Files that it was too busy for since it took or refused one; BUSY_FILES at most. */
  readonly #busyFiles = new Set<number>();
  #code: ErrorCode | undefined;
  #failures = 0;
  #notBefore = 0;
  #timer: Timer | undefined;

  constructor(o: { clock: Clock; random: Random; policy: BackoffPolicy; onOpen: () => void }) {
    this.#clock = o.clock;
    this.#random = o.random;
    this.#policy = o.policy;
    this.#onOpen = o.onOpen;
  }

  /** How many uploads may be under way now. */
  limit(most: number): number {
    if (this.#failures === 0) return most;
    return this.#clock.monotonic() >= this.#notBefore ? 1 : 0;
  }

  /** The backend has no such endpoint: nothing is gained by waiting for an upload. */
  get isMissing(): boolean {
    return this.#code === 'EDGE_BACKEND_NOT_FOUND';
  }

  /** The fixed delay of a failure, ms, where it has one. */
  static delayOf(code: ErrorCode): number | undefined {
    const delay = SHARED[code];
    return delay === 'backoff' ? undefined : delay;
  }

  /** An upload failed; false when others need not meet the same. */
  failed(code: ErrorCode): boolean {
    const delay = SHARED[code];
    if (delay === undefined) return false;
    this.#close(code, (failures) => (delay === 'backoff' ? backoffMs(this.#policy, failures, this.#random) : delay));
    return true;
  }

  /** An upload was answered with 429, 503 and the like; false when others need not meet the same. */
  busy(uploadId: number): boolean {
    if (this.#busyFiles.size < BUSY_FILES) this.#busyFiles.add(uploadId);
    if (this.#busyFiles.size < BUSY_FILES) {
      this.#open();
      return false;
    }
    const policy = { ...this.#policy, maxMs: BUSY_MAX_MS };
    this.#close('EDGE_BACKEND_BUSY', (failures) => backoffMs(policy, failures, this.#random));
    return true;
  }

  #close(code: ErrorCode, waitMsOf: (failures: number) => number): void {
    const now = this.#clock.monotonic();
    if (now < this.#notBefore) return; // under way when the gate closed: what closed it says what opens it
    this.#code = code;
    this.#failures++;
    const waitMs = waitMsOf(this.#failures);
    this.#notBefore = now + waitMs;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(waitMs, this.#onOpen);
  }

  /** The backend is known to be there; true when that ends what kept the gate closed. */
  seen(): boolean {
    if (this.#code === undefined || !endsWithSight(this.#code)) return false;
    this.answered();
    return true;
  }

  /** The secret is another; true when that ends what kept the gate closed. */
  secretChanged(): boolean {
    if (this.#code !== 'EDGE_BACKEND_AUTH' && this.#code !== 'EDGE_SECRET_MISSING') return false;
    this.answered();
    return true;
  }

  /** state.db takes what is noted again; true when that ends what kept the gate closed. */
  storeTakes(): boolean {
    if (this.#code === undefined || !STORE_UNWILLING.includes(this.#code)) return false;
    this.answered();
    return true;
  }

  /** An upload was taken, or refused for good. */
  answered(): void {
    this.#busyFiles.clear();
    this.#open();
  }

  #open(): void {
    this.#code = undefined;
    this.#failures = 0;
    this.#notBefore = 0;
    this.stop();
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
