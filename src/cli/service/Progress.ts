import type { Io } from '../Io.ts';

/** What a person follows: a line a step, and after a failure what stands by then. */
export class Progress {
  readonly #io: Io;
  readonly #stands: string[] = [];

  constructor(io: Io) {
    this.#io = io;
  }

  /** `name` in at most 12 characters. */
  step(name: string, text: string): void {
    this.#io.out(`${name.padEnd(12)} ${text}\n`);
  }

  note(text: string): void {
    this.#io.out(`${' '.repeat(13)}${text}\n`);
  }

  /** Something on this Mac is as it was not before, and stays so if a later step fails. */
  stands(what: string): void {
    this.#stands.push(what);
  }

  /** To be said after an error. */
  tellWhatStands(): void {
    if (this.#stands.length === 0) this.#io.err('Nothing was changed.\n');
    else
      this.#io.err(
        `This stands, and the same command goes on from it:\n${this.#stands.map((one) => `  ${one}\n`).join('')}`,
      );
  }
}
