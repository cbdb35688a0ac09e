import { MAX_WORK } from './limits.ts';
import { StreamDamage } from './StreamDamage.ts';

/** How much may still be done, in the unit of MAX_WORK; several streams may share one. */
export class WorkBudget {
  #left = MAX_WORK;

  get left(): number {
    return this.#left;
  }

  charge(work: number): void {
    this.#left -= work;
    if (this.#left < 0) throw new StreamDamage('more objects than a body may have');
  }
}
