import type { CommandAck } from '../protocol/wire.ts';
import type { AckRow } from '../state/Commands.ts';
import type { StateStore } from '../state/StateStore.ts';
import { type BackoffPolicy, backoffMs } from '../util/backoff.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';

const BACKOFF: BackoffPolicy = { firstMs: 1000, maxMs: 60_000, jitter: 0.25 };
/** A backend without the endpoint, or one that refuses an ack, is asked again this much later, ms. */
const SLOW_MS = 5 * 60_000;
/** How long a request under way may go on after stop(), ms. What is broken off is posted again by the next start. */
const STOP_AFTER_MS = 1000;

/**
 * Acks by HTTP, one at a time.
 * ```
 * idle ──due──▶ posting ──taken──▶ posting the next … ──none left──▶ idle
 *                  │ refused (4xx): left for the next round in 5 min, the next one goes on
 *                  └ any other error ──▶ waiting (back-off; 5 min on 404) ──▶ posting the same
 * ```
 */
export class AckPoster {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #random: Random;
  readonly #postAck: (ack: CommandAck, signal: AbortSignal) => Promise<void>;
  readonly #mayPost: () => boolean;
  #posting: Promise<void> | undefined;
  #busy = false;
  #waiting: Timer | undefined;
  #nextRound: Timer | undefined;
  /** Acks up to this id were tried in this round; those still due were refused. */
  #tried = 0;
  #failures = 0;
  #lastCode: ErrorCode | undefined;
  #stopped = false;
  readonly #abort = new AbortController();

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    random: Random;
    postAck: (ack: CommandAck, signal: AbortSignal) => Promise<void>;
    /** False while the socket is up and does it better. */
    mayPost: () => boolean;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#random = options.random;
    this.#postAck = options.postAck;
    this.#mayPost = options.mayPost;
  }

  wake(): void {
    if (this.#busy || this.#waiting || this.#stopped) return;
    this.#busy = true;
    this.#posting = this.#round();
  }

  /** The secret is another: a wait that rests on the one before ends. */
  secretChanged(): void {
    if (this.#lastCode !== 'EDGE_BACKEND_AUTH' && this.#lastCode !== 'EDGE_SECRET_MISSING') return;
    this.#waiting?.cancel();
    this.#waiting = undefined;
    this.#failures = 0;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting?.cancel();
    this.#nextRound?.cancel();
    const tooLong = this.#clock.after(STOP_AFTER_MS, () => this.#abort.abort());
    await this.#posting;
    tooLong.cancel();
  }

  async #round(): Promise<void> {
    try {
      while (!this.#stopped && this.#mayPost()) {
        const ack = this.#store.commands.acksWaiting(this.#nextRound ? this.#tried : 0, 1)[0];
        if (!ack || !(await this.#post(ack))) return;
      }
    } finally {
      this.#busy = false; // in the same turn as the last look, so that no wake falls in between
    }
  }

  /** False when nothing more is to be posted now. */
  async #post({ ackId, commandId, body }: AckRow): Promise<boolean> {
    try {
      await this.#postAck(body, this.#abort.signal);
      const now = this.#clock.now();
      this.#store.transaction(() => this.#store.commands.markHandedOver(ackId, now));
    } catch (error) {
      const code = codeOf(error, 'EDGE_INTERNAL');
      if (code === 'EDGE_STATE_IO') throw error;
      if (this.#stopped) return false;
      if (code !== this.#lastCode) this.#telemetry.failure(code, `ack of ${commandId}: ${messageOf(error)}`);
      this.#lastCode = code;
      if (code === 'EDGE_BACKEND_REJECTED') this.#leave(ackId);
      else this.#tryAgainIn(this.#delayMs(code));
      return code === 'EDGE_BACKEND_REJECTED';
    }
    this.#failures = 0;
    this.#lastCode = undefined;
    this.#telemetry.acksHandedOver(1, 'http');
    return true;
  }

  #delayMs(code: ErrorCode): number {
    this.#failures++;
    return code === 'EDGE_BACKEND_NOT_FOUND' ? SLOW_MS : backoffMs(BACKOFF, this.#failures, this.#random);
  }

  #tryAgainIn(ms: number): void {
    if (this.#stopped) return;
    this.#waiting = this.#clock.after(ms, () => {
      this.#waiting = undefined;
      this.wake();
    });
  }

  /** The ack is refused: kept, and passed over until the next round. */
  #leave(ackId: number): void {
    this.#tried = ackId;
    this.#nextRound ??= this.#clock.after(SLOW_MS, () => {
      this.#nextRound = undefined;
      this.wake();
    });
  }
}
