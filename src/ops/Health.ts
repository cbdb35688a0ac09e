import type { Clock } from '../util/Clock.ts';
import type { ErrorCode } from '../util/errors.ts';

/** Something that keeps the agent from doing its whole job, and stands until it is cleared. */
export interface Condition {
  readonly code: ErrorCode;
  readonly detail: string;
  /** ms since 1970 */
  readonly since: number;
}

/** The conditions that stand, at most one a code. */
export class Health {
  readonly #clock: Clock;
  readonly #onChange: ((standing: Condition[]) => void) | undefined;
  readonly #standing = new Map<ErrorCode, Condition>();

  /** `onChange` hears of every condition that begins, ends or changes its detail. */
  constructor(options: { clock: Clock; onChange?: (standing: Condition[]) => void }) {
    this.#clock = options.clock;
    this.#onChange = options.onChange;
  }

  /** True when it did not stand before; its first time is kept. */
  raise(code: ErrorCode, detail: string): boolean {
    const before = this.#standing.get(code);
    if (before?.detail === detail) return false;
    this.#standing.set(code, { code, detail, since: before?.since ?? this.#clock.now() });
    this.#onChange?.(this.standing());
    return before === undefined;
  }

  /** True when it stood. */
  clear(code: ErrorCode): boolean {
    const stood = this.#standing.delete(code);
    if (stood) this.#onChange?.(this.standing());
    return stood;
  }

  /** Oldest first. */
  standing(): Condition[] {
    return [...this.#standing.values()].sort((a, b) => a.since - b.since);
  }
}
