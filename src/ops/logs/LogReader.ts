import { statSync } from 'node:fs';
import { LogFile } from './LogFile.ts';

/** Files looked for beside the log, with a number behind its name: more than logging.max_files may be. */
const MAX_FILES = 100;

/**
 * Reads the log through all its files: `path.2`, `path.1`, `path`, and what is written after that, over every rotation.
 *
 * The files are opened from the newest to the oldest: a rotation in between shows the same file twice, which its inode
 * tells, and never hides one. While the newest is read on, it is held open under whatever name it has; when another file
 * stands at the path, all that are newer than the one held are read, in order. A line is lost only
 * where a file is begun and is gone from these names between two looks: deleted by many rotations, or moved elsewhere.
 */
export class LogReader {
  readonly #path: string;
  #newest: LogFile | undefined;
  /** Marks of the older files at the last look. */
  #older: ReadonlySet<string> = new Set();

  /** `path`: logging.file */
  constructor(path: string) {
    this.#path = path;
  }

  /** Those of the last `limit` lines that are wanted, oldest first. `since`: files that ended before then are passed over. */
  last(limit: number, isWanted: () => (line: string) => boolean, since = 0): string[] {
    let found: string[] = [];
    // Each file by itself, from the newest on, so that a few lines do not cost the reading of all files.
    for (const file of this.#openAll()) {
      if (file === this.#newest || (found.length < limit && file.writtenAt >= since)) {
        found = [...lastOf(file, limit - found.length, isWanted(), file !== this.#newest), ...found];
      }
      if (file !== this.#newest) file.close();
    }
    return found;
  }

  /** All lines there are, oldest first, whatever their number. */
  *all(since = 0): Generator<string> {
    for (const file of this.#openAll().reverse()) {
      if (file.writtenAt >= since) yield* linesOf(file, file !== this.#newest);
      if (file !== this.#newest) file.close();
    }
  }

  /** What was written since the last look. */
  *more(): Generator<string> {
    const held = this.#newest;
    if (held) yield* held.lines();
    const ino = statSync(this.#path, { throwIfNoEntry: false })?.ino;
    if (ino === undefined || ino === held?.ino) return; // moved away, and not begun anew yet: lines may still come
    const newer = this.#openAll(held);
    if (this.#newest === held) return; // moved away again meanwhile
    if (held) yield* linesOf(held, true); // its last lines: whoever wrote them has begun another file since
    held?.close();
    for (const file of newer.reverse()) {
      yield* linesOf(file, file !== this.#newest);
      if (file !== this.#newest) file.close();
    }
  }

  /** There is a file at the path. */
  get isOpen(): boolean {
    return this.#newest !== undefined;
  }

  close(): void {
    this.#newest?.close();
    this.#newest = undefined;
  }

  /** Newest first, without what was seen before. The one at the path is held from now on; without it, `held` stays. */
  #openAll(held?: LogFile): LogFile[] {
    const files = this.#openNames();
    const isAtPath = files[0]?.path === this.#path;
    const at = files.findIndex((file) => file.ino === held?.ino);
    // Where the one held is none of them any more, what was older than it at the last look is.
    const seen = at >= 0 ? at : files.findIndex((file) => this.#older.has(file.mark));
    const isLost = held !== undefined && (!isAtPath || at === 0);
    const fresh = isLost ? [] : files.slice(0, seen >= 0 ? seen : files.length);
    for (const file of files.slice(fresh.length)) file.close();
    if (isLost) return [];
    this.#older = new Set(files.filter((file) => file.path !== this.#path).map(({ mark }) => mark));
    this.#newest = isAtPath ? files[0] : undefined;
    return fresh;
  }

  #openNames(): LogFile[] {
    const files: LogFile[] = [];
    // In the middle of a rotation one of the names is free.
    for (let n = 0, free = 0; n < MAX_FILES && free < 2; n++) {
      const file = LogFile.open(n === 0 ? this.#path : `${this.#path}.${n}`);
      free = file ? 0 : free + 1;
      if (file && files.some(({ ino }) => ino === file.ino)) file.close();
      else if (file) files.push(file);
    }
    return files;
  }
}

/** `isOver`: nobody writes it any more, so that a last line without an end is one. */
function* linesOf(file: LogFile, isOver: boolean): Generator<string> {
  yield* file.lines();
  const rest = isOver ? file.rest() : undefined;
  if (rest !== undefined) yield rest;
}

function lastOf(file: LogFile, limit: number, isWanted: (line: string) => boolean, isOver: boolean): string[] {
  let lines: string[] = [];
  for (const line of linesOf(file, isOver)) {
    if (!isWanted(line)) continue;
    lines.push(line);
    if (lines.length > 2 * limit) lines = lines.slice(lines.length - limit);
  }
  return lines.slice(Math.max(0, lines.length - limit));
}
