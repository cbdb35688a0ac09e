import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';

/** What the file beside state.db says. */
export interface Mark {
  /** How many bubbles were begun, ever. */
  readonly bubbles: number;
  /** When the agent's time began, ms since 1970. */
  readonly begunAt: number;
}

/** A mark is written over the one before it, which may be longer. */
const LENGTH = 40;

/**
 * A small file beside state.db in which the bubbles are counted that were begun, so that a state.db that knows of fewer is
 * noticed: one that was restored, begun anew, or lost the end of its log. It is written after the row that remembers the
 * bubble and before osascript starts, in place and without a sync: a process that dies loses nothing of it, and where the
 * machine dies, state.db does not go back beyond what it had synced.
 */
export class HighWater {
  readonly #path: string;
  #file: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined when there is none, or none that can be read. */
  read(): Mark | undefined {
    try {
      const [bubbles, begunAt] = readFileSync(this.#path, 'utf8').trim().split(' ').map(Number);
      const isWhole = Number.isSafeInteger(bubbles) && Number.isSafeInteger(begunAt);
      return isWhole ? { bubbles: bubbles!, begunAt: begunAt! } : undefined;
    } catch {
      return undefined;
    }
  }

  write({ bubbles, begunAt }: Mark): void {
    try {
      this.#file ??= openSync(this.#path, constants.O_WRONLY | constants.O_CREAT, 0o600);
      writeSync(this.#file, `${`${bubbles} ${begunAt}`.padEnd(LENGTH - 1)}\n`, 0);
    } catch {
      // Nothing is lost with it unless state.db is replaced as well; and what is wrong with the disk shows there.
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
