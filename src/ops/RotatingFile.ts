import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../util/EdgeError.ts';
import { makeFolder } from '../util/makeFolder.ts';

export interface RotatingFileOptions {
  readonly path: string;
  /** Size past which the next line begins a new file, bytes. */
  readonly maxBytes: number;
  /** Files kept, the one being written included: path, path.1 (newer) … path.N-1 (older). */
  readonly maxFiles: number;
  /** The line that tells of lines which could not be written. */
  readonly lostLine: (count: number, reason: string) => string;
}

/** O_NONBLOCK: a FIFO that nobody reads would stop the program. It changes nothing for a file. */
const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
const OPEN_FLAGS = O_APPEND | O_CREAT | O_NONBLOCK | O_WRONLY;

/**
 * A file of lines that never grows past its limit and never stops its owner. Writes are synchronous, so that the last
 * line before a crash is there. A line that cannot be written (disk full, no permission) is counted and told of by the
 * first that can.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #descriptor: number | undefined;
  #ino = 0;
  #size = 0;
  #torn = false;
  #lost = 0;
  #reason = '';

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Lines that could not be written since one last could. */
  get lost(): number {
    return this.#lost;
  }

  /** `line` ends in a newline. Never throws. */
  write(line: string): void {
    try {
      if (this.#lost > 0) {
        this.#append(this.#options.lostLine(this.#lost, this.#reason));
        this.#lost = 0;
      }
      this.#append(line);
    } catch (error) {
      this.#lost++;
      this.#reason = messageOf(error);
      this.close();
    }
  }

  /** Another program may have moved the file: the next line goes to the one at the path. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor === undefined) return;
    try {
      closeSync(descriptor);
    } catch {
      // It is closed, which is what was wanted; the next write opens the path again and reports what it finds.
    }
  }

  /** Waits until what was written is on the disk. */
  flush(): void {
    try {
      if (this.#descriptor !== undefined) fdatasyncSync(this.#descriptor);
    } catch (error) {
      this.#reason = messageOf(error);
    }
  }

  #append(line: string): void {
    // Another program may have rotated or deleted it, and would in time delete what is written there.
    if (statSync(this.#options.path, { throwIfNoEntry: false })?.ino !== this.#ino) this.close();
    if (this.#descriptor === undefined) this.#open();
    if (this.#size > 0 && this.#size + Buffer.byteLength(line) > this.#options.maxBytes) this.#rotate();
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
    let written = 0;
    while (written < bytes.length) {
      // A full disk may take a part of the line and refuse the rest.
      written += writeSync(this.#descriptor!, bytes, written);
      this.#torn = written < bytes.length;
    }
    this.#size += bytes.length;
  }

  #open(): void {
    makeFolder(dirname(this.#options.path));
    this.#descriptor = openSync(this.#options.path, OPEN_FLAGS, 0o600);
    const { ino, size } = fstatSync(this.#descriptor);
    this.#ino = ino;
    this.#size = size;
  }

  #rotate(): void {
    const { path, maxFiles } = this.#options;
    this.close();
    const name = (n: number) => (n === 0 ? path : `${path}.${n}`);
    rmSync(name(maxFiles - 1), { force: true });
    for (let n = maxFiles - 2; n >= 0; n--) renameIfThere(name(n), name(n + 1));
    this.#torn = false;
    this.#open();
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
