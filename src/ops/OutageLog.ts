import type { Clock } from '../util/Clock.ts';
import { duration } from './duration.ts';
import { count } from './plural.ts';

/** A channel that fails in more ways than these within one outage has said enough. */
const MAX_CAUSES = 16;

/** What the log has said of one outage of a channel, so that it says each cause once, and the end in one line. */
export class OutageLog {
  readonly #clock: Clock;
  #since: number | undefined;
  /** Since the outage began, that which began it included. */
  #tries = 0;
  #isEndTold = false;
  readonly #causes = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tried(): void {
    this.#tries++;
  }

  /** The channel stopped working; an outage that is under way goes on. */
  broke(): void {
    this.#since ??= this.#clock.now();
  }

  /** A try was in vain. */
  failed(): void {
    this.broke();
    this.#isEndTold = false;
  }

  /** True the first time in this outage. */
  isNews(cause: string): boolean {
    if (this.#causes.has(cause) || this.#causes.size >= MAX_CAUSES) return false;
    this.#causes.add(cause);
    return true;
  }

  /**
   * The channel works: how long it did not and the tries it took, unless there was no outage or nothing failed since its
   * end was told. What comes now belongs to the same outage until `forget`.
   */
  ended(): string | undefined {
    if (this.#since === undefined) this.#tries = 0;
    if (this.#since === undefined || this.#isEndTold) return undefined;
    this.#isEndTold = true;
    return `${duration(this.#clock.now() - this.#since)}, ${count(this.#tries, 'try', 'tries')}`;
  }

  /** The channel has worked for so long that what comes next is another outage. */
  forget(): void {
    this.#since = undefined;
    this.#tries = 0;
    this.#isEndTold = false;
    this.#causes.clear();
  }
}
