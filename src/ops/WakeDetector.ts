import type { Clock, Timer } from '../util/Clock.ts';

const TICK_MS = 5_000;
/** A tick this late was held up by sleep (or SIGSTOP): a busy process is late by less. */
const GAP_MS = 15_000;

/**
 * Notices that the machine slept. Timers stand still while it sleeps; the wall clock does not, nor does the monotonic
 * clock on macOS (libuv reads mach_continuous_time), so a gap between ticks is what tells. A wall clock that somebody
 * set looks the same and costs one look around.
 */
export class WakeDetector {
  readonly #clock: Clock;
  readonly #onWake: (gapMs: number) => void;
  #timer: Timer | undefined;
  #wall = 0;
  #mono = 0;

  constructor(options: { clock: Clock; onWake: (gapMs: number) => void }) {
    this.#clock = options.clock;
    this.#onWake = options.onWake;
  }

  start(): void {
    this.#mark();
    this.#timer = this.#clock.every(TICK_MS, () => {
      const gap = Math.max(this.#clock.now() - this.#wall, this.#clock.monotonic() - this.#mono);
      this.#mark();
      if (gap > GAP_MS) this.#onWake(Math.round(gap));
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #mark(): void {
    this.#wall = this.#clock.now();
    this.#mono = this.#clock.monotonic();
  }
}
