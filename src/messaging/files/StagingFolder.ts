import { randomUUID } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import { makeFolder } from '../../util/makeFolder.ts';
import { HEAD_BYTES } from './fileType.ts';

/** What is being written; no file of ours begins with a dot. */
const UNFINISHED = '.part';
/** Left to all others on the volume, bytes: chat.db and state.db are on it, and a Mac without space is a Mac that hangs. */
const SPARED_BYTES = 512 * 1024 * 1024;
const OURS = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The folder in which Messages finds what it sends: `<folder>/<uuid>/<name>`, because the recipient sees the name, and
 * two files may have the same. Nothing outside of it is touched: what is deleted is an entry of this folder that is
 * named like ours, and a symbolic link is deleted and not followed.
 */
export class StagingFolder {
  readonly #path: string;
  readonly #sparedBytes: number;

  /** `sparedBytes`: nothing is written when fewer are free on the volume. @default 512 MiB */
  constructor(options: { path: string; sparedBytes?: number }) {
    this.#path = options.path;
    this.#sparedBytes = options.sparedBytes ?? SPARED_BYTES;
  }

  /** A place for a file of this name, of its own; nothing is made yet. */
  newPlace(name: string): string {
    return join(this.#path, randomUUID(), name);
  }

  /**
   * Makes the file at such a place: `fill` writes it, `check` sees how it begins and throws when it may not be sent. It
   * is there under its name only when it is whole and on the disk. Returns its size, bytes.
   * @throws EdgeError EDGE_FILE_STAGE, and what `fill` and `check` throw
   */
  async write(
    path: string,
    fill: (file: FileHandle) => Promise<void>,
    check: (head: Buffer) => Promise<void>,
  ): Promise<number> {
    const folder = dirname(path);
    try {
      makeFolder(this.#path);
      await this.#checkSpace();
      await mkdir(folder, { mode: 0o700 });
      const unfinished = join(folder, UNFINISHED);
      const sizeBytes = await writeWhole(unfinished, fill, check);
      await rename(unfinished, path);
      await flush(folder);
      return sizeBytes;
    } catch (error) {
      await this.remove(path).catch(() => {}); // its row knows the place: it is removed before the next attempt
      throw error instanceof EdgeError ? error : notStaged(error, folder);
    }
  }

  /** Deletes what `write` made; does nothing when it is gone, or is not in this folder (any more). @throws EdgeError EDGE_FILE_STAGE */
  async remove(path: string): Promise<void> {
    const folder = dirname(path);
    if (dirname(folder) === this.#path) await this.#removeEntry(basename(folder));
  }

  /**
   * Deletes what is older than `before` (ms since 1970) and not among `known`: what a state.db that was lost has left
   * over. What is younger may belong to another agent. @throws of the disk
   */
  async removeForgotten(known: readonly string[], before: number): Promise<void> {
    const keep = new Set(known.map((path) => basename(dirname(path))));
    for (const entry of await entriesOf(this.#path)) {
      if (keep.has(entry) || !OURS.test(entry)) continue;
      const { mtimeMs } = await lstat(join(this.#path, entry));
      if (mtimeMs < before) await this.#removeEntry(entry);
    }
  }

  async #checkSpace(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#path);
    if (bavail * bsize >= this.#sparedBytes) return;
    throw new EdgeError('EDGE_FILE_STAGE', `fewer than ${this.#sparedBytes} bytes are free on its volume`);
  }

  async #removeEntry(entry: string): Promise<void> {
    if (!OURS.test(entry)) return;
    const folder = join(this.#path, entry);
    try {
      await rm(folder, { recursive: true, force: true });
    } catch (error) {
      throw notStaged(error, folder);
    }
  }
}

/** In the words of the system, which quotes paths: the name of a file in `folder` is as private as a text. */
function notStaged(error: unknown, folder: string): EdgeError {
  const words = messageOf(error);
  const unnamed = words.includes(folder) ? `${words.replace(/ '.*$/s, '')} in '${folder}'` : words;
  return new EdgeError('EDGE_FILE_STAGE', unnamed, { cause: error });
}

async function writeWhole(
  path: string,
  fill: (file: FileHandle) => Promise<void>,
  check: (head: Buffer) => Promise<void>,
): Promise<number> {
  const file = await open(path, 'wx+', 0o600);
  try {
    await fill(file);
    const { size } = await file.stat();
    const head = Buffer.alloc(Math.min(HEAD_BYTES, size));
    await file.read(head, 0, head.length, 0);
    await check(head);
    await file.sync();
    return size;
  } finally {
    await file.close();
  }
}

/** The name of a file is on the disk when its folder is. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // no file was ever sent
    throw error;
  }
}
