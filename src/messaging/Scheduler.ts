import type { ScheduleState } from '../state/Schedules.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { ClockJumps } from '../util/ClockJumps.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { cancelSchedule } from './cancelSchedule.ts';
import { fireSchedules } from './fireSchedules.ts';

/** No wait is longer, ms: after a step of the wall clock or a sleep the next look is at most this far off. */
const MAX_WAIT_MS = 60_000;
/** How long a wall clock that was set may be wrong, and one after the start of the Mac, ms: the network corrects it in less. */
const CLOCK_SETTLE_MS = 60_000;
/** The same for another year, ms: by it a series loses all its times of the year, which nobody gives back. */
const YEAR_SETTLE_MS = 10 * 60_000;
/** The least lateness that is forgiven, ms: noticing a step of the clock and waiting for it to settle take that long. */
const LEAST_LATE_MS = MAX_WAIT_MS + CLOCK_SETTLE_MS;
/** Until a state.db that takes nothing is tried again, ms. */
const TRY_AGAIN_MS = 1000;
/** How often it is looked whether what is due and held can be sent by now, ms: nobody tells when Messages may be asked again. */
const HELD_LOOK_MS = 1000;

/**
 * Turns schedules into sends when their time comes; what fell due while nothing could be sent at once, or not at all when
 * it is too late. One timer for the next that is due; it sleeps a minute at most, so that neither sleep nor a step of the
 * wall clock nor the longest delay of a timer matters.
 */
export class Scheduler {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #maxLateMs: number;
  readonly #canSend: () => boolean;
  readonly #onDue: () => void;
  readonly #maxBubbleChars: number;
  readonly #onSettled: () => void;
  readonly #jumps: ClockJumps;
  /** By the monotonic clock; undefined before the start. */
  #startedAt: number | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    /** What is later is not sent any more; two minutes are always forgiven. */
    maxLateSeconds: number;
    /** False while no bubble could be begun. */
    canSend: () => boolean;
    /** Sends were queued. */
    onDue: () => void;
    /** Acks and events may be waiting. */
    onSettled: () => void;
    /** @default texts stay whole */
    maxBubbleChars?: number;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#maxLateMs = Math.max(options.maxLateSeconds * 1000, LEAST_LATE_MS);
    this.#canSend = options.canSend;
    this.#onDue = options.onDue;
    this.#onSettled = options.onSettled;
    this.#jumps = new ClockJumps({
      clock: options.clock,
      settleMs: CLOCK_SETTLE_MS,
      farSettleMs: YEAR_SETTLE_MS,
    });
    this.#maxBubbleChars = options.maxBubbleChars ?? Number.POSITIVE_INFINITY;
  }

  start(): void {
    this.#startedAt = this.#clock.monotonic();
    this.wake();
  }

  /** Schedules were added or cancelled, the Mac woke up, or bubbles can be sent again. */
  wake(): void {
    if (this.#stopped || this.#startedAt === undefined) return;
    this.#timer?.cancel();
    let waitMs: number | undefined;
    try {
      waitMs = this.#look(this.#startedAt);
    } catch (error) {
      if (!isStoreUnwilling(error)) throw error;
      this.#telemetry.failure(codeOf(error, 'EDGE_STATE_FULL'), `firing schedules: ${messageOf(error)}`);
      waitMs = TRY_AGAIN_MS;
    }
    if (waitMs !== undefined) this.#timer = this.#clock.after(Math.min(waitMs, MAX_WAIT_MS), () => this.wake());
  }

  /** For the person at the Mac. Returns as cancelSchedule does. */
  cancel(scheduleId: string): ScheduleState | undefined {
    const found = this.#store.transaction(() => cancelSchedule(this.#store, scheduleId, this.#clock.now()));
    if (found !== 'pending') return found;
    this.#telemetry.commandFailed(scheduleId, 'cancelled');
    this.#onSettled();
    this.wake();
    return found;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** How long until the next look, ms; undefined when there is nothing to look for. */
  #look(startedAt: number): number | undefined {
    const doubtMs = this.#jumps.doubtMs();
    const nextAt = this.#store.schedules.nextAt();
    if (nextAt === undefined) return undefined;
    const now = this.#clock.now();
    if (nextAt > now) return nextAt - now;
    if (doubtMs > 0) return doubtMs;
    const settlingMs = startedAt + CLOCK_SETTLE_MS - this.#clock.monotonic();
    const { fired, expired, isHeld } = fireSchedules({
      store: this.#store,
      telemetry: this.#telemetry,
      now,
      maxLateMs: this.#maxLateMs,
      maxBubbleChars: this.#maxBubbleChars,
      canSend: this.#canSend(),
      canExpire: settlingMs <= 0,
    });
    if (fired > 0) this.#onDue();
    if (expired > 0) this.#onSettled();
    if (isHeld) return HELD_LOOK_MS;
    const followingAt = this.#store.schedules.nextAt();
    return followingAt === undefined ? undefined : Math.max(0, followingAt - now);
  }
}
