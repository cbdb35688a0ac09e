import type { Clock, Timer } from '../util/Clock.ts';

/** Backfill is handed over once none has come for this long, ms, so that what comes last may go first. */
export const QUIET_MS = 5_000;
/** It is handed over this long after the first of it came at the latest, ms. */
export const HELD_FOR_MS = 60_000;

/**
 * Holds backfill back until the block is there.
 * ```
 * idle ──a row comes──▶ holding ──5 s without another, or 60 s──▶ open ──none left──▶ idle
 * ```
 */
export class BackfillHold {
  readonly #clock: Clock;
  readonly #onOpen: () => void;
  #state: 'idle' | 'holding' | 'open' = 'idle';
  #since = 0;
  #timer: Timer | undefined;

  constructor(o: { clock: Clock; onOpen: () => void }) {
    this.#clock = o.clock;
    this.#onOpen = o.onOpen;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  /** Backfill came. */
  came(): void {
    if (this.#state === 'open') return;
    const now = this.#clock.monotonic();
    if (this.#state === 'idle') this.#since = now;
    this.#state = 'holding';
    this.#timer?.cancel();
    this.#timer = this.#clock.after(Math.min(QUIET_MS, this.#since + HELD_FOR_MS - now), () => {
      this.#state = 'open';
      this.#onOpen();
    });
  }

  /** All of it was handed over. */
  emptied(): void {
    if (this.#state === 'open') this.#state = 'idle';
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
