import type { HighWater, Mark } from './HighWater.ts';
import type { Known } from './knownBefore.ts';
import type { Meta } from './Meta.ts';

/** The time of which state.db knows nothing, though the agent was at work in it; ms since 1970. */
export interface ForgottenTime {
  /** When the last bubble was begun that is remembered. */
  readonly from: number;
  /** When the agent took up the state.db that had forgotten. */
  readonly until: number;
}

/**
 * How far back the agent looks when it has to begin its state.db anew, ms: what was on its way then is seldom older, and
 * everything within it is handed to the backend once more, under the same keys.
 */
const ANEW_MS = 86_400_000;
/** What was asked for so long ago has been begun, or grown too old for an answer, ms. */
const UNSURE_MS = 86_400_000;

/** Knows whether state.db remembers every bubble that was begun. */
export class Forgotten {
  readonly #meta: Meta;
  readonly #highWater: HighWater;
  #mark: Mark = { bubbles: 0, begunAt: 0 };
  #unsure: ForgottenTime | undefined;

  constructor(meta: Meta, highWater: HighWater) {
    this.#meta = meta;
    this.#highWater = highWater;
  }

  /**
   * At opening, within a transaction: compares state.db with the file beside it, and begins the time of a new one.
   * `isAnew`: its predecessor was damaged. `lastBegunAt`: of the last bubble that is remembered.
   * @returns whether bubbles were forgotten
   */
  compare(o: { now: number; isAnew: boolean; lastBegunAt: number | undefined }): boolean {
    const { now, isAnew, lastBegunAt } = o;
    const mark = this.#highWater.read();
    const known = this.#bubbles;
    const hasForgotten = isAnew || (mark?.bubbles ?? 0) > known;
    if (hasForgotten) {
      const from = Math.min(lastBegunAt ?? now - ANEW_MS, this.time?.from ?? now);
      this.#meta.set('forgotten', JSON.stringify({ from, until: now }));
      this.#meta.set('bubbles_begun', String(Math.max(known, mark?.bubbles ?? 0)));
    }
    if (this.#meta.get('begun_at') === undefined) {
      const begunAt = hasForgotten ? Math.max(now - ANEW_MS, mark?.begunAt ?? 0) : now;
      this.#meta.set('begun_at', String(begunAt));
    }
    this.#mark = { bubbles: this.#bubbles, begunAt: Number(this.#meta.get('begun_at')) };
    return hasForgotten;
  }

  /**
   * At opening, within a transaction and after `compare`: a folder that was restored with all that is in it shows nothing
   * of what was begun since. That time lasts from what is known last to this start; while something of it is not done
   * yet, a later start begins it where the earlier one did.
   */
  doubt(now: number, known: Known): void {
    const json = this.#meta.get('unsure');
    const before = json === undefined ? undefined : (JSON.parse(json) as ForgottenTime);
    const isOver = before === undefined || !known.isOpenFrom(before.until);
    const from = Math.max(isOver ? known.until : Math.min(before.from, known.until), now - UNSURE_MS);
    this.#unsure = { from, until: now };
    this.#meta.set('unsure', JSON.stringify(this.#unsure));
  }

  /** The time before this start in which bubbles may have been begun without a trace here. */
  get unsure(): ForgottenTime | undefined {
    return this.#unsure;
  }

  /** Undefined for a state.db that never forgot. */
  get time(): ForgottenTime | undefined {
    const json = this.#meta.get('forgotten');
    return json === undefined ? undefined : (JSON.parse(json) as ForgottenTime);
  }

  /** One more, within the transaction that remembers it. */
  count(): void {
    this.#meta.set('bubbles_begun', String(this.#mark.bubbles + 1));
  }

  /** That transaction is through. */
  counted(): void {
    this.#mark = { ...this.#mark, bubbles: this.#mark.bubbles + 1 };
    this.#highWater.write(this.#mark);
  }

  get #bubbles(): number {
    return Number(this.#meta.get('bubbles_begun') ?? 0);
  }
}
