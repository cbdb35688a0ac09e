import { EdgeError } from '../util/EdgeError.ts';
import type { ScriptResult, ScriptRunner } from './ScriptRunner.ts';

/** Scripts that wait at most. Each of the few that ask runs one at a time, so that more is a defect. */
const MAX_WAITING = 8;

/**
 * Runs one script after another, in the order in which they were asked for: Messages serialises Apple events, and a
 * question that waits behind a send it has nothing to do with would seem to be unanswered.
 */
export class ScriptQueue implements ScriptRunner {
  readonly #runner: ScriptRunner;
  /** The end of the last that was asked for. */
  #last: Promise<unknown> | undefined;
  #waiting = 0;

  constructor(options: { runner: ScriptRunner }) {
    this.#runner = options.runner;
  }

  /** The time-out counts from when the script begins. */
  run(script: string, args: readonly string[], options: { timeoutMs: number }): Promise<ScriptResult> {
    const run = this.#last ? this.#after(this.#last, script, args, options) : this.#runner.run(script, args, options);
    const ended: Promise<void> = run.then(nothing, nothing).then(() => {
      if (this.#last === ended) this.#last = undefined;
    });
    this.#last = ended;
    return run;
  }

  async idle(): Promise<void> {
    while (this.#last) await this.#last;
  }

  async #after(
    before: Promise<unknown>,
    script: string,
    args: readonly string[],
    options: { timeoutMs: number },
  ): Promise<ScriptResult> {
    if (this.#waiting >= MAX_WAITING) throw new EdgeError('EDGE_INTERNAL', `${MAX_WAITING} scripts wait already`);
    this.#waiting++;
    await before;
    this.#waiting--;
    return this.#runner.run(script, args, options);
  }
}

function nothing(): void {}
