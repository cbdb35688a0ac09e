import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import { HEAD_BYTES } from './fileType.ts';

/** What is being written; no file of ours begins with a dot. */
const UNFINISHED = '.part';
const OURS = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The folder in which Messages finds what it sends: `<folder>/<uuid>/<name>`, because the recipient sees the name, and
 * two files may have the same. Nothing outside of it is touched: what is deleted is an entry of this folder that is
 * named like ours, and a symbolic link is deleted and not followed.
 */
export class StagingFolder {
  readonly #path: string;

  constructor(options: { path: string }) {
    this.#path = options.path;
  }

  /**
   * Makes the file: `fill` writes it, `check` sees how it begins and throws when it may not be sent. It is there under
   * its name only when it is whole and on the disk.
   * @throws EdgeError EDGE_FILE_STAGE, and what `fill` and `check` throw
   */
  async write(
    name: string,
    fill: (file: FileHandle) => Promise<void>,
    check: (head: Buffer) => Promise<void>,
  ): Promise<{ path: string; sizeBytes: number }> {
    const folder = join(this.#path, randomUUID());
    try {
      await mkdir(this.#path, { recursive: true, mode: 0o700 });
      await mkdir(folder, { mode: 0o700 });
      const unfinished = join(folder, UNFINISHED);
      const sizeBytes = await writeWhole(unfinished, fill, check);
      const path = join(folder, name);
      await rename(unfinished, path);
      await flush(folder);
      return { path, sizeBytes };
    } catch (error) {
      await rm(folder, { recursive: true, force: true }).catch(() => {}); // what is left is removed at the next start
      throw error instanceof EdgeError ? error : new EdgeError('EDGE_FILE_STAGE', messageOf(error), { cause: error });
    }
  }

  /** Deletes what `write` made; does nothing when it is gone, or is not in this folder (any more). @throws of the disk */
  async remove(path: string): Promise<void> {
    const folder = dirname(path);
    if (dirname(folder) === this.#path) await this.#removeEntry(basename(folder));
  }

  /** Deletes what was being written when the agent ended, and what nobody knows of. @throws of the disk */
  async removeAllBut(paths: readonly string[]): Promise<void> {
    const known = new Set(paths.map((path) => basename(dirname(path))));
    for (const entry of await entriesOf(this.#path)) if (!known.has(entry)) await this.#removeEntry(entry);
  }

  async #removeEntry(entry: string): Promise<void> {
    if (OURS.test(entry)) await rm(join(this.#path, entry), { recursive: true, force: true });
  }
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
