import { MAX_BODY_BYTES, MAX_LARGE_ANSWER_BYTES, type SyncRequest, type SyncResponse } from '../protocol/wire.ts';
import { type BackoffPolicy, backoffMs } from '../util/backoff.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { BackendError } from './BackendError.ts';

const BACKOFF: BackoffPolicy = { firstMs: 1000, maxMs: 60_000, jitter: 0.25 };
/** A backend without this endpoint, one that refuses the secret, or one with another key, is asked again this often, ms. Protocol. */
const HELD_MS: Partial<Record<ErrorCode, number>> = {
  EDGE_BACKEND_NOT_FOUND: 5 * 60_000,
  EDGE_BACKEND_AUTH: 60_000,
  EDGE_SECRET_MISSING: 60_000,
  EDGE_TLS_PIN: 60_000,
};
/** Events come in clusters (sent, delivered, read): the first waits this long for the others, ms. */
const EVENT_GATHER_MS = 200;
/** While the socket is up, syncs for events alone start at least this far apart, ms. */
const EVENT_GAP_MS = 5000;
/** While the socket is up, a sync is made after so long without one, ms: a socket can be up and nothing come by it. */
const SAFETY_MS = 5 * 60_000;
/** A sync under way for longer is begun anew when the socket came or went, ms: what it waits for may never come. */
const STALE_SYNC_MS = 1000;
/** After so many answers in a row that cannot be used the next may be larger: without it no command would come by polling. */
const UNUSABLE_ANSWERS = 2;
/** What a config_update may set, seconds. */
const INTERVAL_LIMITS = { least: 1, most: 3600 };

export interface SyncPollerOptions {
  clock: Clock;
  random: Random;
  telemetry: Telemetry;
  /** Time between polls while the socket is down, seconds. */
  intervalSeconds: number;
  sync(request: SyncRequest, signal: AbortSignal, maxBodyBytes: number): Promise<SyncResponse>;
  /** What to report now; read once for each sync. */
  collect(): SyncRequest;
  /** Takes an answer in. If it throws, the sync counts as failed and the backend is asked again. */
  deliver(response: SyncResponse): void | Promise<void>;
  /** What the backend had for us when the socket came up is taken in, or cannot be had now. */
  onCaughtUp?(): void;
  hasEvents(): boolean;
}

/**
 * POST /edge/sync, one at a time.
 *
 * | socket | a sync starts                                                                                      |
 * |--------|----------------------------------------------------------------------------------------------------|
 * | down   | at once when it goes down or at start(), then every interval                                       |
 * | up     | once when it comes up; for waiting events 200 ms after syncSoon(), every 5 s at most; after 5 min  |
 * | either | at once by syncNow()                                                                               |
 *
 * A failed sync is repeated by back-off (1 … 60 s), whatever the socket does, because commands may be waiting in it.
 * 404, 401/403, a missing secret, a foreign key and Retry-After hold every sync back, also those that the table asks
 * for; retryNow() ends that. After two answers that cannot be used, the next may have 8 MiB instead of 1: what waits may
 * have become too much for one.
 */
export class SyncPoller {
  readonly #o: SyncPollerOptions;
  #intervalMs: number;
  #started = false;
  #isUp = false;
  /** A sync is due whether or not there are events: since a socket came up, or by syncNow(). */
  #owed = false;
  #maxBodyBytes = MAX_BODY_BYTES;
  #failures = 0;
  /** Answers in a row that could not be used. */
  #unusable = 0;
  #warnedNotFound = false;
  /** Monotonic times, ms. */
  #dueAt = Number.POSITIVE_INFINITY;
  /** What is due is the next poll, and nothing that was asked for. */
  #isPoll = false;
  #heldUntil = 0;
  #lastStart = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #abort: AbortController | undefined;
  #running: Promise<void> | undefined;

  constructor(options: SyncPollerOptions) {
    this.#o = options;
    this.#intervalMs = options.intervalSeconds * 1000;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (!this.#isUp) this.#tellPolling(false);
    this.#plan(0);
  }

  /** Breaks off a sync that is under way; its answer is not delivered, and the backend offers it again. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#timer?.cancel();
    this.#abort?.abort();
    await this.#running;
  }

  socketUp(): void {
    this.#isUp = true;
    this.#owed = true;
    this.#dueAt = Number.POSITIVE_INFINITY; // polling ends here
    this.#breakOffStale();
    this.#plan(0);
    if (this.#heldUntil > this.#o.clock.monotonic()) this.#o.onCaughtUp?.();
  }

  socketDown(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    if (this.#started) this.#tellPolling(true);
    this.#breakOffStale();
    this.#plan(0);
  }

  /** One sync now, whatever the socket is. */
  syncNow(): void {
    this.#owed = true;
    this.#breakOffStale();
    this.#plan(0);
  }

  /** While `on`, answers up to 8 MiB are read: a command waits that no frame can carry. It is asked for at once. */
  allowLargeAnswers(on: boolean): void {
    const limit = on ? MAX_LARGE_ANSWER_BYTES : MAX_BODY_BYTES;
    if (limit === this.#maxBodyBytes) return;
    this.#maxBodyBytes = limit;
    if (on) this.syncNow();
  }

  /** Events may be waiting. While the socket is down they go with the next poll. */
  syncSoon(): void {
    if (!this.#isUp) return;
    const gap = this.#lastStart + EVENT_GAP_MS - this.#o.clock.monotonic();
    this.#plan(Math.max(EVENT_GATHER_MS, gap));
  }

  /** What a failure rested on is another now: a sync that waits after one, or is under way without it, starts at once. */
  retryNow(): void {
    if (this.#failures === 0 && !this.#running) return;
    this.#heldUntil = 0;
    this.#abort?.abort();
    this.#plan(0);
  }

  /** Kept within 1 and 3600 s; a poll that is waiting moves to the new interval, a sync that was asked for does not wait. */
  setIntervalSeconds(seconds: number): void {
    this.#intervalMs = Math.min(Math.max(seconds, INTERVAL_LIMITS.least), INTERVAL_LIMITS.most) * 1000;
    if (this.#isUp || this.#running || this.#failures > 0) return;
    const pollAt = this.#lastStart + this.#intervalMs;
    this.#dueAt = this.#isPoll ? pollAt : Math.min(this.#dueAt, pollAt);
    this.#arm();
  }

  #breakOffStale(): void {
    if (this.#o.clock.monotonic() - this.#lastStart >= STALE_SYNC_MS) this.#abort?.abort();
  }

  #tellPolling(wasUp: boolean): void {
    this.#o.telemetry.deliveryByPolling({ everySeconds: this.#intervalMs / 1000, wasUp });
  }

  /** A sync is wanted in `ms`, or when it was wanted before if that is sooner. */
  #plan(ms: number, isPoll = false): void {
    const at = this.#o.clock.monotonic() + ms;
    if (at <= this.#dueAt) {
      this.#dueAt = at;
      this.#isPoll = isPoll;
    }
    this.#arm();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!this.#started || this.#running || this.#dueAt === Number.POSITIVE_INFINITY) return;
    const at = Math.max(this.#dueAt, this.#heldUntil);
    this.#timer = this.#o.clock.after(at - this.#o.clock.monotonic(), () => this.#due());
  }

  #due(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#abort = new AbortController();
    this.#running = this.#sync(this.#abort.signal).finally(() => {
      this.#running = undefined;
      this.#arm();
    });
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const { clock, telemetry } = this.#o;
    const startedAt = clock.monotonic();
    const owedBefore = this.#owed;
    try {
      const sinceLast = startedAt - this.#lastStart;
      if (this.#isUp && !this.#owed && !this.#o.hasEvents() && sinceLast < SAFETY_MS) {
        this.#plan(SAFETY_MS - sinceLast);
        return;
      }
      this.#owed = false;
      this.#lastStart = startedAt;
      const response = await this.#o.sync(this.#o.collect(), signal, this.#largestAnswer);
      signal.throwIfAborted();
      await this.#o.deliver(response);
      telemetry.synced({
        commands: response.commands.length,
        events: response.ack_events.length,
        ms: clock.monotonic() - startedAt,
      });
      this.#succeeded(response);
      if (!this.#owed) this.#o.onCaughtUp?.();
    } catch (error) {
      this.#owed ||= owedBefore;
      if (signal.aborted) return; // stopped, or another follows at once
      this.#failed(error);
      this.#o.onCaughtUp?.();
    }
  }

  get #largestAnswer(): number {
    return this.#unusable >= UNUSABLE_ANSWERS ? MAX_LARGE_ANSWER_BYTES : this.#maxBodyBytes;
  }

  #succeeded(response: SyncResponse): void {
    this.#failures = 0;
    this.#unusable = 0;
    this.#heldUntil = 0;
    this.#warnedNotFound = false;
    // A backend that takes some events is given the rest; one that takes none is not pressed.
    const areEventsLeft = this.#o.hasEvents();
    if (areEventsLeft && response.ack_events.length > 0) this.#plan(Math.min(EVENT_GAP_MS, this.#intervalMs));
    else if (this.#isUp && !areEventsLeft) this.#plan(SAFETY_MS);
    else this.#plan(this.#intervalMs, true);
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    const code = codeOf(error, 'EDGE_INTERNAL');
    if (code === 'EDGE_BACKEND_ANSWER') this.#unusable += 1;
    if (error instanceof BackendError) this.#tellFailure(code, messageOf(error));
    else this.#o.telemetry.failure(code, `a sync was not taken in: ${messageOf(error)}`);
    const retryAfterMs = error instanceof BackendError ? error.retryAfterMs : undefined;
    const heldMs = HELD_MS[code] ?? this.#jittered(retryAfterMs ?? 0);
    this.#heldUntil = this.#o.clock.monotonic() + heldMs;
    const delayMs = code in HELD_MS ? heldMs : Math.max(heldMs, backoffMs(BACKOFF, this.#failures, this.#o.random));
    this.#plan(delayMs);
  }

  #jittered(ms: number): number {
    return backoffMs({ ...BACKOFF, firstMs: ms, maxMs: ms }, 1, this.#o.random);
  }

  #tellFailure(code: ErrorCode, detail: string): void {
    const isNotFound = code === 'EDGE_BACKEND_NOT_FOUND';
    if (!isNotFound || !this.#warnedNotFound) this.#o.telemetry.syncFailed(code, detail);
    this.#warnedNotFound = isNotFound;
  }
}
