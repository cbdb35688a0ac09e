import type { Reaction } from '../../../src/simulator/Reactions.ts';

export const PEOPLE = ['+15550100002', '+15550100003', '+15550100004'] as const;
/** Writes SMS, and nobody else does: their dates have whole seconds, which is no order among those of others. */
export const TEXTER = '+15550100005';
export const GROUP = { id: 'chat831', participants: PEOPLE };

/**
 * What becomes of the first post of a message. `refused` is the backend's word on each post of it, and `known` comes
 * after the backend took it; after all others another attempt follows.
 */
export type Fate = 'taken' | 'slow' | 'busy' | 'taken, then 502' | 'taken, then reset' | 'known' | 'refused';
export type Line = 'socket' | 'http';
export type LineFault = 'cut' | 'black hole' | 'reset' | 'slow' | 'up lost' | 'down lost';
/** What the backend does to every request, until it is well again. */
export type Illness = 'errors' | 'too many' | 'silence' | 'takes and resets';
/** What the next bubble meets. */
export type Obstacle =
  | 'not running'
  | 'error after the bubble'
  | 'slow'
  | 'hangs'
  | 'row late'
  | 'killed before'
  | 'killed after';

/** Something that happens; `of` names what an earlier step named, and without that step nothing happens. */
export type Deed =
  | { do: 'message'; name: string; from: string; how: 'plain' | 'group' | 'sms' | 'photo'; lateMs: number; fate: Fate }
  | { do: 'block'; threads: readonly string[]; messages: number; olderMs: number; everyMs?: number; seed: number }
  | { do: 'edit'; of: string; bodyMs: number }
  | { do: 'unsend' | 'copy' | 'reinsert'; of: string }
  | { do: 'react'; of: string; from: string; kind: Reaction['kind'] }
  | { do: 'replace'; by: 'same-rows' | 'renumbered' }
  | { do: 'ask'; thread: string }
  | { do: 'schedule'; name: string; thread: string; inMs: number }
  | { do: 'cancel'; of: string }
  | { do: 'kill'; signal: 'SIGKILL' | 'SIGTERM'; downMs: number }
  | { do: 'line'; line: Line; fault: LineFault }
  | { do: 'mend' }
  | { do: 'ill'; illness: Illness }
  | { do: 'well' }
  | { do: 'set clock'; offsetMs: number }
  | { do: 'leap'; ms: number }
  | { do: 'obstacle'; obstacle: Obstacle };

/** `at`: ms since the beginning. */
export type Step = { readonly at: number } & Deed;
export type Plan = readonly Step[];

/** Lines and backend are sound again so long after a fault of theirs began, ms. */
const FAULT_MS = { least: 200, most: 1500 };
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Draws from `random`; the same sequence is the same plan. */
export function drawPlan(random: () => number, steps: number): Plan {
  return new Draw(random).plan(steps);
}

class Draw {
  readonly #random: () => number;
  readonly #plan: Step[] = [];
  readonly #messages: string[] = [];
  readonly #schedules: string[] = [];
  /** Either the clock moves, or what goes by dates and by real waits is mixed up: both at once have no right answer. */
  readonly #clockMoves: boolean;
  #at = 0;
  #n = 0;
  #hasHung = false;

  constructor(random: () => number) {
    this.#random = random;
    this.#clockMoves = random() < 0.4;
  }

  plan(steps: number): Plan {
    for (let n = 0; n < steps; n++) {
      this.#at += Math.round(this.#random() * 200);
      this.#draw();
    }
    return this.#plan.toSorted((a, b) => a.at - b.at);
  }

  #draw(): void {
    const draws = {
      message: [16, () => this.#message()],
      change: [8, () => this.#change()],
      iCloud: [4, () => this.#ofMessage((of) => ({ do: this.#one(['copy', 'reinsert']), of }))],
      block: [this.#clockMoves ? 0 : 1, () => this.#block()],
      replace: [0.8, () => this.#replace()],
      command: [6, () => this.#command()],
      kill: [2.5, () => this.#kill()],
      line: [3, () => this.#line()],
      backend: [2, () => this.#backend()],
      clock: [this.#clockMoves ? 3 : 0, () => this.#clock()],
      obstacle: [4, () => this.#obstacle()],
    } as const satisfies Record<string, readonly [weight: number, draw: () => void]>;
    const weights = Object.entries(draws).map(([name, [weight]]) => [name, weight] as const);
    draws[this.#weighted(Object.fromEntries(weights) as Record<keyof typeof draws, number>)][1]();
  }

  #message(): void {
    const how = this.#weighted({ plain: 8, group: 2, sms: 1, photo: 1 });
    const name = `m${++this.#n}`;
    const from = how === 'sms' ? TEXTER : this.#one(PEOPLE);
    const lateMs = this.#random() < 0.15 ? 320 : this.#between(0, 20);
    const fate = this.#weighted<Fate>({
      taken: 80,
      slow: 4,
      busy: 4,
      'taken, then 502': 4,
      'taken, then reset': 4,
      known: 2,
      refused: 2,
    });
    this.#messages.push(name);
    this.#add({ do: 'message', name, from, how, lateMs, fate });
  }

  #change(): void {
    const kind = this.#weighted({ edit: 4, unsend: 1, react: 4 });
    if (kind === 'edit') this.#ofMessage((of) => ({ do: 'edit', of, bodyMs: this.#random() < 0.4 ? 30 : 0 }));
    else if (kind === 'unsend') this.#ofMessage((of) => ({ do: 'unsend', of }));
    else {
      const from = this.#one(PEOPLE);
      this.#ofMessage((of) => ({ do: 'react', of, from, kind: this.#one(['love', 'like', 'dislike', 'laugh']) }));
    }
  }

  #block(): void {
    const threads = this.#random() < 0.5 ? PEOPLE : [this.#one(PEOPLE)];
    const spread = this.#random() < 0.5 ? { everyMs: this.#between(1, 120) } : {};
    const olderMs = this.#between(40 * MINUTE_MS, 240 * MINUTE_MS);
    this.#add({ do: 'block', threads, messages: this.#between(3, 7), olderMs, seed: ++this.#n, ...spread });
  }

  #replace(): void {
    // Renumbering goes by dates, and those of a clock that was set back are in no order.
    const by = !this.#clockMoves && this.#random() < 0.5 ? 'renumbered' : 'same-rows';
    this.#add({ do: 'replace', by });
  }

  #command(): void {
    const kind = this.#weighted({ ask: 6, schedule: 2, cancel: this.#schedules.length > 0 ? 1 : 0 });
    if (kind === 'ask') this.#add({ do: 'ask', thread: this.#one(PEOPLE) });
    else if (kind === 'cancel') this.#add({ do: 'cancel', of: this.#schedules.shift()! });
    else this.#schedule();
  }

  /** One that is due while the plan runs, or tomorrow's, which is cancelled: in the end, if not before. */
  #schedule(): void {
    const name = `s${++this.#n}`;
    const isFar = this.#random() < 0.5;
    if (isFar) this.#schedules.push(name);
    const inMs = isFar ? DAY_MS : this.#between(0, 3000);
    this.#add({ do: 'schedule', name, thread: this.#one(PEOPLE), inMs });
  }

  #kill(): void {
    const signal = this.#random() < 0.7 ? 'SIGKILL' : 'SIGTERM';
    this.#add({ do: 'kill', signal, downMs: this.#between(0, 300) });
  }

  #line(): void {
    const fault = this.#one(['cut', 'black hole', 'reset', 'slow', 'up lost', 'down lost']);
    this.#add({ do: 'line', line: this.#one(['socket', 'http']), fault });
    this.#add({ do: 'mend' }, this.#between(FAULT_MS.least, FAULT_MS.most));
  }

  #backend(): void {
    this.#add({ do: 'ill', illness: this.#one(['errors', 'too many', 'silence', 'takes and resets']) });
    this.#add({ do: 'well' }, this.#between(FAULT_MS.least, FAULT_MS.most));
  }

  #clock(): void {
    const isSet = this.#random() < 0.6;
    if (isSet) this.#add({ do: 'set clock', offsetMs: this.#between(-5 * MINUTE_MS, 5 * MINUTE_MS) });
    else this.#add({ do: 'leap', ms: this.#between(1000, MINUTE_MS) });
  }

  #obstacle(): void {
    const waits = this.#clockMoves ? 0 : 1;
    const obstacle = this.#weighted<Obstacle>({
      'not running': 1,
      'error after the bubble': 2,
      slow: 2,
      // A bubble that is kept from going out a second time is not tried again.
      hangs: this.#hasHung ? 0 : waits,
      'row late': 2 * waits,
      'killed before': 2,
      'killed after': 2,
    });
    this.#hasHung ||= obstacle === 'hangs';
    this.#add({ do: 'obstacle', obstacle });
  }

  /** One of the last few. */
  #ofMessage(deed: (of: string) => Deed): void {
    const young = this.#messages.slice(-8);
    if (young.length > 0) this.#add(deed(this.#one(young)));
  }

  #add(deed: Deed, laterMs = 0): void {
    this.#plan.push({ at: this.#at + laterMs, ...deed });
  }

  #one<const T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)]!;
  }

  #between(least: number, most: number): number {
    return Math.round(least + this.#random() * (most - least));
  }

  #weighted<T extends string>(weights: Record<T, number>): T {
    const entries = Object.entries(weights) as [T, number][];
    let left = this.#random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return entries[0]![0];
  }
}
