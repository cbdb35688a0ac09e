import { type BackoffPolicy, backoffMs } from '../util/backoff.ts';
import type { Clock } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { briefly, type Verdict } from './scriptErrors.ts';

/** What a person has to act on is probed once a minute: macOS counts every refused event against the program. */
const PROBED: ReadonlySet<ErrorCode> = new Set(['EDGE_SEND_NOT_PERMITTED', 'EDGE_SEND_NO_ACCOUNT']);
const PROBE_MS = 60_000;
/** Messages starts again in seconds; without jitter, because one Mac has one Messages. */
const BACKOFF: BackoffPolicy = { firstMs: 1000, maxMs: 60_000, jitter: 0 };
const noRandom: Random = () => 0;
/** A Messages that ends as soon as it is started must not flicker on the screen, ms. */
const LAUNCH_EVERY_MS = 60_000;

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
  readonly #launchMessages: () => Promise<unknown>;
  #standing: ErrorCode | undefined;
  #failures = 0;
  /** Monotonic ms. */
  #opensAt = 0;
  #isHeld = false;
  /** Of the last start of Messages, monotonic ms. */
  #launchedAt = Number.NEGATIVE_INFINITY;

  constructor(options: { clock: Clock; telemetry: Telemetry; launchMessages: () => Promise<unknown> }) {
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#launchMessages = options.launchMessages;
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

  /** How an osascript ended. A form of address that may be followed by another says nothing yet. */
  heard(verdict: Verdict): void {
    if (verdict.kind === 'paused') this.#close(verdict.code, verdict.detail);
    else if (verdict.kind === 'accepted') this.#open();
    // That Messages refused one bubble shows that it runs and may be asked, and nothing of its accounts.
    else if (verdict.kind === 'failed' && this.#standing !== 'EDGE_SEND_NO_ACCOUNT') this.#open();
  }

  /** Starts Messages if that is what `verdict` asks for, and was not done within the minute. Never rejects. */
  launch(verdict: Verdict): Promise<void> | undefined {
    if (verdict.kind !== 'paused' || verdict.code !== 'EDGE_SEND_MESSAGES_DOWN') return undefined;
    const now = this.#clock.monotonic();
    if (now - this.#launchedAt < LAUNCH_EVERY_MS) return undefined;
    this.#launchedAt = now;
    return this.#launchMessages().then(
      () => {},
      (error) => this.#telemetry.failure(codeOf(error, 'EDGE_INTERNAL'), `starting Messages: ${messageOf(error)}`),
    );
  }

  #close(code: ErrorCode, detail: string): void {
    this.#failures++;
    const ms = PROBED.has(code) ? PROBE_MS : backoffMs(BACKOFF, this.#failures, noRandom);
    this.#opensAt = this.#clock.monotonic() + ms;
    if (this.#standing === code) return;
    this.#clear();
    this.#standing = code;
    this.#telemetry.conditionRaised(code, briefly(code, detail));
  }

  #open(): void {
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
