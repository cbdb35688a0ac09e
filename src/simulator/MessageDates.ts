import type { Clock } from '../util/Clock.ts';
import { appleNanoseconds } from './appleTime.ts';

const NANOSECONDS_PER_SECOND = 1_000_000_000n;
/** Messages written within one ms are told apart below this. */
const DISTINCT = 999_999;

/**
 * What is written into message.date. Messages counts nanoseconds, and no two rows have the same; here the last six
 * digits are a counter that is never 0, so that no iMessage has a whole second, as an SMS has.
 */
export class MessageDates {
  readonly #clock: Clock;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** ms since 1970 */
  now(): number {
    return this.#clock.now();
  }

  /** The date of a row that is written now; exactly `at` (ms since 1970) where somebody set it. */
  next(service: string, at?: number): bigint {
    if (at !== undefined) return appleNanoseconds(at);
    const now = this.#clock.now();
    if (service !== 'SMS') return this.distinct(now);
    return appleNanoseconds(now) - (appleNanoseconds(now) % NANOSECONDS_PER_SECOND);
  }

  /** `at` (ms since 1970) with digits behind it that no other row has. */
  distinct(at: number): bigint {
    this.#count = (this.#count % DISTINCT) + 1;
    return appleNanoseconds(at) + BigInt(this.#count);
  }
}
