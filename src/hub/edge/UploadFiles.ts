import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CommandStore, NewUpload, StoredUpload } from '../commands/CommandStore.ts';

const FILE = /^[0-9a-f]{64}$/;
/** While a file is written; what a crash leaves is deleted at the next start. */
const PART = /^[0-9a-f-]{36}\.part$/;

/** A file that is on disk and not yet anybody's. */
export interface ReceivedFile {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Deletes it, unless it was kept. */
  discard(): Promise<void>;
  readonly path: string;
}

/**
 * The files that agents upload, in a folder beside the database. A name on disk is a hash of agent, attachment and a
 * random part: of what a sender chose nothing gets there, and no file takes the place of another. The row is what makes a file count: first the file is synced, then the row
 * written; what has no row is deleted at the next start.
 */
export class UploadFiles {
  readonly #dir: string;
  readonly #store: CommandStore;
  readonly #maxTotalBytes: number;

  constructor(o: { dir: string; store: CommandStore; maxTotalBytes: number }) {
    this.#dir = o.dir;
    this.#store = o.store;
    this.#maxTotalBytes = o.maxTotalBytes;
  }

  /** Deletes what a crash left. */
  async start(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const known = new Set(await this.#store.uploadFiles());
    const left = (await readdir(this.#dir)).filter((name) => PART.test(name) || (FILE.test(name) && !known.has(name)));
    await this.#remove(left);
  }

  /** Writes a file as it comes. @throws what the stream or the disk says; nothing is left then */
  async receive(content: Readable): Promise<ReceivedFile> {
    const path = join(this.#dir, `${randomUUID()}.part`);
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        done(null, chunk);
      },
    });
    try {
      await pipeline(content, measure, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return { sizeBytes, sha256: hash.digest('hex'), path, discard: () => rm(path, { force: true }) };
  }

  /** Makes the file the agent's; false when it had this attachment, which is kept as it was. */
  async keep(received: ReceivedFile, upload: Omit<NewUpload, 'file' | 'sha256' | 'sizeBytes'>): Promise<boolean> {
    const { agentId, attachmentGuid } = upload;
    if (await this.#store.upload(attachmentGuid, agentId)) return false;
    const file = createHash('sha256').update(`${agentId}\0${attachmentGuid}\0${randomUUID()}`).digest('hex');
    await rename(received.path, join(this.#dir, file));
    await syncFolder(this.#dir);
    const { sizeBytes, sha256 } = received;
    const isNew = await this.#store.addUpload({ ...upload, file, sizeBytes, sha256 });
    if (!isNew) await this.#remove([file]); // another request with the same attachment was quicker
    await this.prune();
    return isNew;
  }

  /** Deletes the oldest files until the others have room. */
  async prune(): Promise<void> {
    await this.#remove(await this.#store.dropOldestUploads(this.#maxTotalBytes));
  }

  pathOf({ file }: StoredUpload): string {
    return join(this.#dir, file);
  }

  async #remove(names: readonly string[]): Promise<void> {
    for (const name of names) await rm(join(this.#dir, name), { force: true });
  }
}

/** A new name is on disk once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
