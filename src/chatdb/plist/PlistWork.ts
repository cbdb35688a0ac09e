import { BYTES_PER_WORK, MAX_PLIST_WORK } from './limits.ts';
import { PlistDamage } from './PlistDamage.ts';

/** Stands in a table for a value that is being read, so that a value cannot contain itself. */
const UNFINISHED = Symbol('unfinished');

/**
 * The values read so far by their number, each with what it cost; a value met again is the same one and costs as much
 * again. What is read once and what comes out written in full are so bounded together.
 */
export class PlistWork {
  readonly #values: unknown[] = [];
  readonly #costs: number[] = [];
  #done = 0;

  charge(work: number): void {
    this.#done += work;
    if (this.#done > MAX_PLIST_WORK) throw new PlistDamage('more values than a plist may have');
  }

  /** For bytes that are copied out. */
  chargeBytes(size: number): void {
    this.charge(Math.floor(size / BYTES_PER_WORK));
  }

  /** The value of this number, read by `read` the first time; `cyclic` says what a value within itself means. */
  once(number: number, read: () => unknown, cyclic: () => unknown): unknown {
    const cost = this.#costs[number];
    if (cost !== undefined) {
      this.charge(cost);
      return this.#values[number];
    }
    if (this.#values[number] === UNFINISHED) return cyclic();
    this.#values[number] = UNFINISHED;
    const before = this.#done;
    this.charge(1);
    const value = read();
    this.#values[number] = value;
    this.#costs[number] = this.#done - before;
    return value;
  }
}
