/**
 * At most `limit` things within any `windowMs`. Times are monotonic ms, so that a step of the wall clock neither frees
 * the window at once nor keeps it full; they never decrease. Something begun again takes no second place.
 */
export class SlidingWindow<Key> {
  readonly limit: number;
  readonly windowMs: number;
  /** When each was begun last, oldest first; never more than `limit`. */
  readonly #begun = new Map<Key, number>();

  /** A limit of 0 is none. */
  constructor(options: { limit: number; windowMs: number }) {
    this.limit = options.limit;
    this.windowMs = options.windowMs;
  }

  /** How long `key` must wait, ms. */
  waitMs(key: Key, now: number): number {
    if (this.limit === 0) return 0;
    for (const [old, at] of this.#begun) {
      if (at > now - this.windowMs) break;
      this.#begun.delete(old);
    }
    if (this.#begun.size < this.limit || this.#begun.has(key)) return 0;
    const [oldest] = this.#begun.values();
    return Math.max(1, Math.ceil((oldest ?? now) + this.windowMs - now));
  }

  begin(key: Key, now: number): void {
    if (this.limit === 0) return;
    this.#begun.delete(key);
    this.#begun.set(key, now);
    const [oldest] = this.#begun.keys();
    if (this.#begun.size > this.limit && oldest !== undefined) this.#begun.delete(oldest);
  }
}
