import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { queueText } from './queueText.ts';

/** No wait is longer, ms: after a step of the wall clock or a sleep the next look is at most this far off. */
const MAX_WAIT_MS = 60_000;
/** Schedules fired in one transaction, so that a long backlog does not hold up everything else. */
const BATCH = 100;
/** Until a state.db that takes nothing is tried again, ms. */
const TRY_AGAIN_MS = 1000;

/** Turns schedules into sends when their time comes; those overdue at the start at once. */
export class Scheduler {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #onDue: () => void;
  readonly #maxBubbleChars: number;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    onDue: () => void;
    /** @default texts stay whole */
    maxBubbleChars?: number;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#onDue = options.onDue;
    this.#maxBubbleChars = options.maxBubbleChars ?? Number.POSITIVE_INFINITY;
  }

  start(): void {
    this.wake();
  }

  /** Schedules were added or cancelled, or the Mac woke up. */
  wake(): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    let waitMs: number | undefined;
    try {
      waitMs = this.#fireDue();
    } catch (error) {
      if (!isStoreUnwilling(error)) throw error;
      this.#telemetry.failure(codeOf(error, 'EDGE_STATE_FULL'), `firing schedules: ${messageOf(error)}`);
      waitMs = TRY_AGAIN_MS;
    }
    if (waitMs !== undefined) this.#timer = this.#clock.after(Math.min(waitMs, MAX_WAIT_MS), () => this.wake());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** How long until the next is due, ms; undefined when there is none. */
  #fireDue(): number | undefined {
    const now = this.#clock.now();
    const fired = this.#store.transaction(() => {
      const due = this.#store.schedules.due(now, BATCH);
      for (const { scheduleId, threadId, text } of due) {
        this.#store.schedules.finish(scheduleId, 'fired', now);
        const key = `command:${scheduleId}`;
        const send = queueText(
          this.#store,
          { key, threadId, text, bubbleType: 'normal', commandId: scheduleId, now },
          this.#maxBubbleChars,
        );
        this.#store.commands.setSend(scheduleId, send.sendId);
      }
      return due.length;
    });
    if (fired > 0) this.#onDue();
    const nextAt = this.#store.schedules.nextAt();
    return nextAt === undefined ? undefined : Math.max(0, nextAt - now);
  }
}
