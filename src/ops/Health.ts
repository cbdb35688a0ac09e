import type { Clock } from '../util/Clock.ts';
import type { ErrorCode } from '../util/errors.ts';

/** Something that keeps the agent from doing its whole job, and stands until it is cleared. */
export interface Condition {
  readonly code: ErrorCode;
  readonly detail: string;
  /** ms since 1970 */
  readonly since: number;
}

/** Who met a condition: a channel to the backend, or any other part of the agent. */
export type Claimant = 'websocket' | 'sync' | 'agent';

/** A condition with the detail that each claimant gave, in the order they came. */
interface Standing {
  readonly since: number;
  readonly details: Map<Claimant, string>;
}

/**
 * The conditions that stand, at most one a code. Several claimants may meet the same one: it stands until the last of
 * them is rid of it, and shows the detail of the first.
 */
export class Health {
  readonly #clock: Clock;
  readonly #onChange: ((standing: Condition[]) => void) | undefined;
  readonly #standing = new Map<ErrorCode, Standing>();

  /** `onChange` hears of every condition that begins, ends or changes its detail. */
  constructor(options: { clock: Clock; onChange?: (standing: Condition[]) => void }) {
    this.#clock = options.clock;
    this.#onChange = options.onChange;
  }

  /** True when it did not stand before; its first time is kept. */
  raise(code: ErrorCode, detail: string, by: Claimant = 'agent'): boolean {
    const standing = this.#standing.get(code);
    const before = shown(standing);
    const details = standing?.details ?? new Map<Claimant, string>();
    details.set(by, detail);
    if (!standing) this.#standing.set(code, { since: this.#clock.now(), details });
    if (shown(this.#standing.get(code)) !== before) this.#onChange?.(this.standing());
    return before === undefined;
  }

  /** True when it stood, and nobody else claims it. */
  clear(code: ErrorCode, by: Claimant = 'agent'): boolean {
    const standing = this.#standing.get(code);
    if (!standing) return false;
    const before = shown(standing);
    standing.details.delete(by);
    const isOver = standing.details.size === 0;
    if (isOver) this.#standing.delete(code);
    if (shown(standing) !== before) this.#onChange?.(this.standing());
    return isOver;
  }

  isClaimed(code: ErrorCode, by: Claimant): boolean {
    return this.#standing.get(code)?.details.has(by) === true;
  }

  stands(code: ErrorCode): boolean {
    return this.#standing.has(code);
  }

  /** Oldest first. */
  standing(): Condition[] {
    return [...this.#standing]
      .map(([code, standing]) => ({ code, detail: shown(standing) ?? '', since: standing.since }))
      .sort((a, b) => a.since - b.since);
  }
}

function shown(standing: Standing | undefined): string | undefined {
  return standing?.details.values().next().value;
}
