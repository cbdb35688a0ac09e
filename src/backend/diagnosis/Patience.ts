import type { Clock } from '../../util/Clock.ts';

/** One step, and one attempt within it, ms. */
const STEP_MS = 10_000;
/** All of them: who looks for a fault does not wait longer, ms. */
const TOTAL_MS = 60_000;

/** How long the doctor waits: 10 s for anything, a minute for everything. */
export class Patience {
  readonly #clock: Clock;
  readonly #startedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /** Nothing is begun any more. */
  get isOver(): boolean {
    return this.#left <= 0;
  }

  get #left(): number {
    return TOTAL_MS - (this.#clock.monotonic() - this.#startedAt);
  }

  /**
   * Waits for `work`. Its signal aborts when it was enough, with the error that this then rejects with; whatever `work`
   * does afterwards is heard by nobody.
   */
  async within<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ms = Math.max(0, Math.min(STEP_MS, this.#left));
    const stop = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.after(ms, () => {
      const error = Object.assign(new Error(`${what} within ${Math.round(ms / 1000)} s`), { code: 'ETIMEDOUT' });
      stop.abort(error);
      late.reject(error);
    });
    try {
      return await Promise.race([work(stop.signal), late.promise]);
    } finally {
      timer.cancel();
      stop.abort(new Error('over'));
    }
  }
}
