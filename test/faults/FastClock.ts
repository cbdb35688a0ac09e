import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { waitFor } from '../support/waitFor.ts';

/** The clock of an agent that runs as a process of its own, moved from outside: see fastClock.mjs. */
export class FastClock {
  readonly #file: string;
  #rate = 1;
  #wallOffsetMs = 0;
  #skipToMs = 0;

  /** `file`: where the orders are written, of this clock's own. */
  constructor(file: string) {
    this.#file = file;
    this.#write();
  }

  /** For the command line of the agent. */
  get nodeArgs(): string[] {
    const url = pathToFileURL(`${import.meta.dirname}/fastClock.mjs`);
    url.searchParams.set('control', this.#file);
    return ['--import', url.href];
  }

  /** How long the agent has run by its own clock, ms. */
  get elapsedMs(): number {
    try {
      return Number(readFileSync(`${this.#file}.now`, 'utf8'));
    } catch {
      return 0;
    }
  }

  /** From now on the agent's time runs so many times as fast; at most 100. */
  run(rate: number): void {
    this.#rate = rate;
    this.#write();
  }

  /** Somebody sets the agent's wall clock; its monotonic clock and its timers do not notice. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
    this.#write();
  }

  /** Lets so much of the agent's time pass as fast as its work allows; resolves when it has. */
  async pass(ms: number, timeoutMs = 55_000): Promise<void> {
    this.#skipToMs = this.elapsedMs + ms;
    this.#write();
    await waitFor(`${ms} ms of the agent's clock`, () => this.elapsedMs >= this.#skipToMs, timeoutMs);
  }

  #write(): void {
    const orders = { rate: this.#rate, wallOffsetMs: this.#wallOffsetMs, skipToMs: this.#skipToMs };
    writeFileSync(`${this.#file}.next`, `${JSON.stringify(orders)}\n`);
    renameSync(`${this.#file}.next`, this.#file);
  }
}
