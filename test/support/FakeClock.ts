import type { Clock, Timer } from '../../src/util/Clock.ts';

interface Entry {
  at: number;
  every: number | undefined;
  fn: () => void;
}

/** A clock that moves only when told to. Wall and monotonic time move together unless `jumpWall` parts them. */
export class FakeClock implements Clock {
  #mono = 0;
  #wall: number;
  readonly #entries = new Set<Entry>();
  #halted = false;

  constructor(wall = Date.UTC(2026, 0, 1)) {
    this.#wall = wall;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#mono;
  }

  after(ms: number, fn: () => void): Timer {
    return this.#add({ at: this.#mono + Math.max(0, ms), every: undefined, fn });
  }

  every(ms: number, fn: () => void): Timer {
    return this.#add({ at: this.#mono + ms, every: ms, fn });
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#entries.size;
  }

  /** Moves time by `ms`, calling what falls due, in order, letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#mono + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      const at = Math.max(next.at, this.#mono);
      this.#wall += at - this.#mono;
      this.#mono = at;
      if (next.every === undefined) this.#entries.delete(next);
      else next.at += next.every;
      next.fn();
      await settle();
    }
    if (this.#halted) return;
    this.#wall += end - this.#mono;
    this.#mono = end;
  }

  /** The process whose clock this is was killed: nothing falls due any more, and `advance` stops where it is. */
  halt(): void {
    this.#halted = true;
    this.#entries.clear();
  }

  /** Steps the wall clock alone, as NTP or a person does. */
  jumpWall(ms: number): void {
    this.#wall += ms;
  }

  /** A Mac sleeps: both clocks go on, and what falls due meanwhile does so on waking, with the next `advance`. */
  sleep(ms: number): void {
    this.#wall += ms;
    this.#mono += ms;
  }

  #add(entry: Entry): Timer {
    if (!this.#halted) this.#entries.add(entry);
    return { cancel: () => this.#entries.delete(entry) };
  }

  #next(end: number): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#entries) if (entry.at <= end && (!next || entry.at < next.at)) next = entry;
    return next;
  }
}

/** Lets pending promise reactions and immediates run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
