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
  /** Calls `fn` once after `ms`; delays beyond the timer limit are served in steps. */
  after(ms: number, fn: () => void): Timer;
  /** Calls `fn` every `ms` until cancelled. */
  every(ms: number, fn: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    let left = Math.max(0, ms);
    let handle: NodeJS.Timeout;
    const arm = () => {
      const step = Math.min(left, MAX_TIMER_MS);
      handle = setTimeout(() => {
        left -= step;
        if (left > 0) arm();
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
