import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { waitFor } from '../../support/waitFor.ts';

/** What the clock last said of itself. */
interface Told {
  readonly elapsedMs: number;
  readonly wallMs: number;
  /** On the real wall clock. */
  readonly atMs: number;
  readonly rate: number;
  /** How many timers the agent has set. */
  readonly timers: number;
}

/** The clock of an agent that runs as a process of its own, moved from outside: see fastClock.mjs. */
export class FastClock {
  readonly #file: string;
  #rate = 1;
  #wallOffsetMs = 0;
  #skipToMs = 0;
  #asleepMs = 0;
  readonly #isHurried: boolean;
  #last: Told = { elapsedMs: 0, wallMs: Date.now(), atMs: Date.now(), rate: 1, timers: 0 };

  /** `file`: where the orders are written, of this clock's own. `isHurried`: see fastClock.mjs. */
  constructor(file: string, o: { isHurried?: boolean } = {}) {
    this.#file = file;
    this.#isHurried = o.isHurried ?? false;
    this.#write();
  }

  /** For the command line of the agent. */
  get nodeArgs(): string[] {
    const url = pathToFileURL(`${import.meta.dirname}/fastClock.mjs`);
    url.searchParams.set('control', this.#file);
    if (this.#isHurried) url.searchParams.set('hurried', 'true');
    return ['--import', url.href];
  }

  /** How long the agent has run by its own clock, ms. */
  get elapsedMs(): number {
    return this.#look().elapsedMs;
  }

  /** How many timers are set in the agent. */
  get timers(): number {
    return this.#look().timers;
  }

  /** How many times as fast as the real time it was told to run. */
  get rate(): number {
    return this.#rate;
  }

  /** The agent's wall clock, ms since 1970: what everything else on its Mac goes by as well. */
  now(): number {
    const { wallMs, atMs, rate } = this.#look();
    return Math.floor(wallMs + (Date.now() - atMs) * rate);
  }

  /** The agent's time runs so many times as fast, at most 100; resolves when it does, if there is an agent. */
  async run(rate: number): Promise<void> {
    this.#rate = rate;
    this.#write();
    if (existsSync(`${this.#file}.now`)) await waitFor('the clock to obey', () => this.#look().rate === rate);
  }

  /** Somebody sets the agent's wall clock; its monotonic clock and its timers do not notice. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
    this.#write();
  }

  /** The machine sleeps for so long: both clocks go on at once, and every timer due meanwhile fires after it. */
  async sleep(ms: number): Promise<void> {
    const wakesAt = this.elapsedMs + ms;
    this.#asleepMs += ms;
    this.#write();
    await waitFor(`${ms} ms of sleep`, () => this.elapsedMs >= wakesAt);
  }

  /** Lets so much of the agent's time pass as fast as its work allows; resolves when it has. */
  async pass(ms: number, timeoutMs = 55_000): Promise<void> {
    this.#skipToMs = this.elapsedMs + ms;
    this.#write();
    await waitFor(`${ms} ms of the agent's clock`, () => this.elapsedMs >= this.#skipToMs, timeoutMs);
  }

  #look(): Told {
    try {
      this.#last = JSON.parse(readFileSync(`${this.#file}.now`, 'utf8')) as Told;
    } catch {
      // Not there yet.
    }
    return this.#last;
  }

  #write(): void {
    const orders = {
      rate: this.#rate,
      wallOffsetMs: this.#wallOffsetMs,
      skipToMs: this.#skipToMs,
      asleepMs: this.#asleepMs,
    };
    writeFileSync(`${this.#file}.next`, `${JSON.stringify(orders)}\n`);
    renameSync(`${this.#file}.next`, this.#file);
  }
}
