import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { messageOf } from '../../util/EdgeError.ts';

/** Read at a time, bytes. */
const CHUNK_BYTES = 64 * 1024;
/** A line longer than any that the log writes is handed on in pieces, bytes: a file of one line fits no memory. */
const MAX_LINE_BYTES = 1024 * 1024;

/** One file of the log, read from where the last reading ended; it stays the same file when it is renamed. */
export class LogFile {
  readonly path: string;
  readonly ino: number;
  /** Of a file that is no longer written: no other has it, which an inode used again would have. */
  readonly mark: string;
  /** When it was last written, ms since 1970. */
  readonly writtenAt: number;
  readonly #descriptor: number;
  #offset = 0;
  /** What was read of a line whose end is not there yet. */
  #begun: Buffer[] = [];
  #begunBytes = 0;

  private constructor(path: string, descriptor: number, { ino, size, mtimeMs }: Stats) {
    this.path = path;
    this.#descriptor = descriptor;
    this.ino = ino;
    this.mark = `${ino} ${size} ${mtimeMs}`;
    this.writtenAt = mtimeMs;
  }

  /** Undefined when there is none. @throws Error when it cannot be read */
  static open(path: string): LogFile | undefined {
    let descriptor: number;
    try {
      // A FIFO without a writer would hold up the whole program.
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
    }
    const stat = fstatSync(descriptor);
    if (stat.isFile()) return new LogFile(path, descriptor, stat);
    closeSync(descriptor);
    throw new Error(`${path} is no file`);
  }

  /** The whole lines that are there and were not read yet, without their ends. */
  *lines(): Generator<string> {
    if (fstatSync(this.#descriptor).size < this.#offset) {
      // Emptied where it lies (logrotate's copytruncate): it begins anew.
      this.#offset = 0;
      this.#take();
    }
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const read = readSync(this.#descriptor, chunk, 0, chunk.length, this.#offset);
      if (read === 0) return;
      this.#offset += read;
      let from = 0;
      for (let end = chunk.indexOf(10); end >= 0 && end < read; end = chunk.indexOf(10, from)) {
        this.#begin(chunk.subarray(from, end));
        from = end + 1;
        yield this.#take();
      }
      if (from < read) this.#begin(chunk.subarray(from, read));
      if (this.#begunBytes > MAX_LINE_BYTES) yield this.#take();
    }
  }

  /** A last line without an end, of a file that nobody writes any more; undefined when there is none. */
  rest(): string | undefined {
    return this.#begunBytes > 0 ? this.#take() : undefined;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #begin(bytes: Buffer): void {
    this.#begun.push(Buffer.from(bytes)); // a copy: the chunk is read into again
    this.#begunBytes += bytes.length;
  }

  #take(): string {
    const line = Buffer.concat(this.#begun).toString('utf8');
    this.#begun = [];
    this.#begunBytes = 0;
    return line;
  }
}
