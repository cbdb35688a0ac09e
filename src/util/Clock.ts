/** A pending callback. `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** The longest delay a Node timer takes (2^31 - 1 ms, 24.8 days); longer ones fire at once. Node: `timers` docs. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The only source of time in this program, so that a test can move it. */
export interface Clock {
  /** Wall clock, integer milliseconds since 1970. May jump either way. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. For durations and back-off. */
  monotonic(): number;
  /**
   * Calls `fn` once after `ms`, never before `monotonic` has gone on by as much: what is asked then whether its time has
   * come is told so, and need not wait for another timer. Delays beyond the timer limit are served in steps.
   */
  after(ms: number, fn: () => void): Timer;
  /** Calls `fn` every `ms` until cancelled. */
  every(ms: number, fn: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const due = performance.now() + ms;
    let handle: NodeJS.Timeout;
    const arm = () => {
      // Node counts in whole ms, of a clock that it reads in whole ms: its timers fire up to 2 ms early.
      const step = Math.min(Math.max(0, Math.ceil(due - performance.now())), MAX_TIMER_MS);
      handle = setTimeout(() => {
        if (performance.now() < due) arm();
        else fn();
      }, step);
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
  every(ms, fn) {
    const handle = setInterval(fn, Math.min(ms, MAX_TIMER_MS));
    return { cancel: () => clearInterval(handle) };
  },
};

/** Resolves after `ms`, or as soon as `signal` aborts; never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
