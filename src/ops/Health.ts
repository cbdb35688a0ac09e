import type { Clock, Timer } from '../util/Clock.ts';
import { causesOf, conditionOf } from '../util/conditions.ts';
import type { ErrorCode } from '../util/errors.ts';

/** Something that keeps the agent from doing its whole job, and stands until it is cleared. */
export interface Condition {
  readonly code: ErrorCode;
  readonly detail: string;
  /** ms since 1970 */
  readonly since: number;
}

/** The conditions a person is told of, and those that follow from one of them. Both oldest first. */
export interface HealthView {
  readonly shown: readonly Condition[];
  readonly hidden: readonly Condition[];
}

/** Who met a condition: a channel to the backend, or any other part of the agent. */
export type Claimant = 'websocket' | 'sync' | 'agent';

/** What comes back so soon after its end has not ended, ms. */
const FLAP_MS = 10_000;
/** So many times in a row, and it flaps. */
const FLAPS = 3;

interface Standing {
  readonly code: ErrorCode;
  /** The detail that each claimant gave, in the order they came; none when it is over. */
  readonly details: Map<Claimant, string>;
  /** ms since 1970, and on the monotonic clock. */
  since: number;
  begunAt: number;
  /** How often in a row it came back within FLAP_MS of its end. */
  returns: number;
  /** When it began before it came back for the first time. */
  firstSince: number;
  /** Set while it is over, monotonic. */
  endedAt?: number;
  lastDetail: string;
}

/**
 * The conditions that stand, at most one a code. Several claimants may meet the same one: it stands until the last of
 * them is rid of it, and shows the detail of the first.
 * ```
 *            raised           stood for visible_after         cleared
 *   (none) ─────────▶ young ─────────────────────────▶ shown ─────────▶ over
 *                       └──────────── cleared ─────────────────────────▶ over
 *   over, raised within 10 s, for the third time in a row: shown at once, and until it has been over for 10 s,
   or has stood for as long
 * ```
 * So a moment of trouble is not shown, the end of an outage is shown at once, and what comes and goes stands quietly. A
 * shown one is hidden while one of its causes stands, however young the cause is.
 */
export class Health {
  readonly #clock: Clock;
  #onChange: ((view: HealthView) => void) | undefined;
  /** Those that stand, and those that ended less than FLAP_MS ago. */
  readonly #known = new Map<ErrorCode, Standing>();
  #told = keyOf({ shown: [], hidden: [] });
  #timer: Timer | undefined;

  /** `onChange` hears of every condition that is shown or hidden, is so no more, or changes its detail. */
  constructor(options: { clock: Clock; onChange?: (view: HealthView) => void }) {
    this.#clock = options.clock;
    this.#onChange = options.onChange;
  }

  /** From now on nobody is told; what stands can still be asked for. */
  stop(): void {
    this.#onChange = undefined;
    this.#timer?.cancel();
  }

  /** True when it did not stand before; its first time is kept. */
  raise(code: ErrorCode, detail: string, by: Claimant = 'agent'): boolean {
    this.#forgetOver();
    const known = this.#known.get(code);
    const isNew = known === undefined || known.endedAt !== undefined;
    const standing = isNew ? this.#begin(code, known) : known;
    standing.details.set(by, detail);
    standing.lastDetail = first(standing);
    this.#tell();
    return isNew;
  }

  /** True when it stood, and nobody else claims it. */
  clear(code: ErrorCode, by: Claimant = 'agent'): boolean {
    const standing = this.#known.get(code);
    if (!standing || standing.endedAt !== undefined) return false;
    standing.details.delete(by);
    const isOver = standing.details.size === 0;
    if (isOver) this.#end(standing);
    else standing.lastDetail = first(standing);
    this.#tell();
    return isOver;
  }

  isClaimed(code: ErrorCode, by: Claimant): boolean {
    return this.#known.get(code)?.details.has(by) === true;
  }

  stands(code: ErrorCode): boolean {
    return (this.#known.get(code)?.details.size ?? 0) > 0;
  }

  /** All that stand, shown or not. Oldest first. */
  standing(): Condition[] {
    return [...this.#known.values()]
      .filter(({ endedAt }) => endedAt === undefined)
      .map(condition)
      .sort(byAge);
  }

  /** What is to be shown now. */
  view(): HealthView {
    this.#forgetOver();
    const all = [...this.#known.values()].filter((standing) => standing.endedAt === undefined || flaps(standing));
    const shown = all.filter((standing) => flaps(standing) || this.#youngMs(standing) <= 0);
    return behindCauses(shown.map(condition).sort(byAge), new Set(all.map(({ code }) => code)));
  }

  #begin(code: ErrorCode, before: Standing | undefined): Standing {
    const now = this.#clock.now();
    const standing: Standing = {
      code,
      details: new Map(),
      since: now,
      begunAt: this.#clock.monotonic(),
      returns: before ? before.returns + 1 : 0,
      firstSince: before?.firstSince ?? now,
      lastDetail: '',
    };
    this.#known.set(code, standing);
    return standing;
  }

  #end(standing: Standing): void {
    standing.endedAt = this.#clock.monotonic();
    if (standing.endedAt - standing.begunAt >= FLAP_MS) standing.returns = 0;
  }

  /** How long it is still too young to be shown, ms. */
  #youngMs({ code, begunAt }: Standing): number {
    return begunAt + conditionOf(code).visibleAfterSeconds * 1000 - this.#clock.monotonic();
  }

  #forgetOver(): void {
    const now = this.#clock.monotonic();
    for (const [code, { endedAt }] of this.#known) {
      if (endedAt !== undefined && now - endedAt >= FLAP_MS) this.#known.delete(code);
    }
  }

  #tell(): void {
    if (!this.#onChange) return;
    const view = this.view();
    this.#wait();
    const key = keyOf(view);
    if (key === this.#told) return;
    this.#told = key; // first: what is told of may fail to be stored, and that is raised in here
    this.#onChange(view);
  }

  /** Until time alone changes the view. */
  #wait(): void {
    this.#timer?.cancel();
    const now = this.#clock.monotonic();
    const waits = [...this.#known.values()].flatMap((standing) => {
      if (standing.endedAt !== undefined) return flaps(standing) ? [standing.endedAt + FLAP_MS - now] : [];
      return flaps(standing) ? [] : [this.#youngMs(standing)].filter((ms) => ms > 0);
    });
    this.#timer = waits.length > 0 ? this.#clock.after(Math.ceil(Math.min(...waits)), () => this.#tell()) : undefined;
  }
}

/** Parts those that follow from another one that stands. `standing`: the codes of all, shown or not. */
export function behindCauses(conditions: readonly Condition[], standing: ReadonlySet<ErrorCode>): HealthView {
  const isHidden = ({ code }: Condition) => [...causesOf(code)].some((cause) => standing.has(cause));
  return { shown: conditions.filter((one) => !isHidden(one)), hidden: conditions.filter(isHidden) };
}

function keyOf({ shown, hidden }: HealthView): string {
  return JSON.stringify([shown.map(({ code, detail }) => [code, detail]), hidden.map(({ code }) => code)]);
}

function condition(standing: Standing): Condition {
  const { code, since, firstSince, lastDetail } = standing;
  return { code, detail: lastDetail, since: flaps(standing) ? firstSince : since };
}

function flaps({ returns }: Standing): boolean {
  return returns >= FLAPS;
}

function first({ details }: Standing): string {
  return details.values().next().value ?? '';
}

function byAge(a: Condition, b: Condition): number {
  return a.since - b.since;
}
