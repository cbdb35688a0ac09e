import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import { ERRORS } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';

const HOUR_MS = 3_600_000;
/** How often it is looked how long no message has come, ms. */
const LOOK_EVERY_MS = 60_000;
/** After a start and after a sleep of the Mac, ms: what was missed meanwhile may still be coming. */
const CATCH_UP_MS = 10 * 60_000;
const CODE = 'EDGE_INBOUND_SILENT';
const TEXT = 'edge-agent: checking that messages arrive';

/**
 * Writes to this Mac's own address when no message has come for suspiciously long: sending makes Messages connect and
 * fetch what it missed. Once for each such time, which begins anew with it, and with the copy that comes back: an echo.
 */
export class WakeMessage {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #silenceMs: number;
  readonly #handle: string;
  readonly #onQueued: () => void;
  #timer: Timer | undefined;
  /** When the agent began to watch, ms since 1970. */
  #startedAt = 0;
  /** Monotonic ms. */
  #quietUntil = 0;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    silenceHours: number;
    /** The address of this Mac itself. */
    handle: string;
    /** A bubble and an event are waiting. */
    onQueued: () => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#silenceMs = options.silenceHours * HOUR_MS;
    this.#handle = options.handle;
    this.#onQueued = options.onQueued;
  }

  start(): void {
    this.#startedAt = this.#clock.now();
    this.woke();
    this.#timer = this.#clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  /** The Mac slept. */
  woke(): void {
    this.#quietUntil = this.#clock.monotonic() + CATCH_UP_MS;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    if (this.#clock.monotonic() < this.#quietUntil) return;
    try {
      if (this.#write()) this.#onQueued();
    } catch (error) {
      if (!isStoreUnwilling(error)) throw error;
      this.#telemetry.failure(codeOf(error, 'EDGE_STATE_FULL'), `queueing a wake message: ${messageOf(error)}`);
    }
  }

  #write(): boolean {
    const now = this.#clock.now();
    // A time ahead means that the wall clock was set back, and says nothing: waited for, it may be years away.
    const isPast = (at: number) => at <= now;
    if (!isPast(this.#startedAt)) this.#startedAt = now;
    const lastAt = [this.#store.inbound.lastAt() ?? this.#startedAt].find(isPast) ?? this.#startedAt;
    const wokeAt = [Number(this.#store.meta.get('wake_message_at') ?? 0)].find(isPast) ?? 0;
    if (now - Math.max(lastAt, wokeAt) < this.#silenceMs) return false;
    const message = `no message has come since ${new Date(lastAt).toISOString()}; the wake message was sent`;
    this.#store.transaction(() => {
      this.#store.meta.set('wake_message_at', String(now));
      const bubble = { key: `wake:${now}`, threadId: this.#handle, text: TEXT, bubbleType: 'normal', now } as const;
      this.#store.sends.insert(bubble);
      const details = { code: CODE, message, fix: ERRORS[CODE].fix };
      this.#store.events.insert({ event_id: `inbound_silent:${now}`, event_type: 'error', details }, now);
    });
    this.#telemetry.failure(CODE, message);
    return true;
  }
}
