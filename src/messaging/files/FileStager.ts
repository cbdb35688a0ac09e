import type { FileHandle } from 'node:fs/promises';
import type { OutgoingFileRow } from '../../state/OutgoingFiles.ts';
import type { SendRow } from '../../state/SendRow.ts';
import type { StateStore } from '../../state/StateStore.ts';
import { type BackoffPolicy, backoffMs } from '../../util/backoff.ts';
import type { Clock, Timer } from '../../util/Clock.ts';
import { codeOf, EdgeError, isStoreUnwilling, messageOf } from '../../util/EdgeError.ts';
import type { ErrorCode } from '../../util/errors.ts';
import type { Telemetry } from '../../util/Telemetry.ts';
import { contentFlaw } from './fileType.ts';
import type { StagingFolder } from './StagingFolder.ts';

/** Eight attempts within 26 minutes: its thread waits meanwhile. Without jitter: one Mac is no crowd. */
const BACKOFF: BackoffPolicy = { firstMs: 15_000, maxMs: 600_000, jitter: 0 };
const MAX_ATTEMPTS = 8;
/** Files fetched at once: a host that is slow does not hold up those of other threads. */
const MAX_AT_ONCE = 3;
/** Until a state.db that takes nothing is tried again, ms. */
const TRY_AGAIN_MS = 1000;
/** No wait is longer, ms, so that a step of the wall clock is noticed. */
const MAX_WAIT_MS = 60_000;

/** Writes what is at a URL into a file. @throws EdgeError EDGE_FILE_FETCH, EDGE_FILE_REFUSED */
export type FetchFile = (url: string, file: FileHandle, o: { maxBytes: number; signal: AbortSignal }) => Promise<void>;

/** Brings files that are to be sent where Messages can read them, and lets their bubbles go. */
export class FileStager {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #folder: StagingFolder;
  readonly #maxBytes: number;
  readonly #fetchFile: FetchFile;
  readonly #onStaged: () => void;
  readonly #onFailed: (send: SendRow, code: ErrorCode, detail: string) => void;
  readonly #stopping = new AbortController();
  readonly #active = new Map<number, Promise<void>>();
  #started = false;
  #timer: Timer | undefined;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    folder: StagingFolder;
    maxBytes: number;
    fetchFile: FetchFile;
    /** A bubble may go. */
    onStaged: () => void;
    /** The bubble cannot go: ends it. Called within the transaction that ends the file. */
    onFailed: (send: SendRow, code: ErrorCode, detail: string) => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#folder = options.folder;
    this.#maxBytes = options.maxBytes;
    this.#fetchFile = options.fetchFile;
    this.#onStaged = options.onStaged;
    this.#onFailed = options.onFailed;
  }

  start(): void {
    this.#started = true;
    this.wake();
  }

  /** Files may be wanted. */
  wake(): void {
    if (!this.#started || this.#stopping.signal.aborted) return;
    this.#timer?.cancel();
    const now = this.#clock.now();
    let waitMs: number | undefined;
    for (const file of this.#store.outgoingFiles.wanted(MAX_AT_ONCE + this.#active.size)) {
      if (this.#active.has(file.fileId)) continue;
      const dueMs = (file.nextAttemptAt ?? now) - now;
      // Further off than any back-off is only what was noted before the wall clock was set back.
      if (dueMs > 0 && dueMs <= BACKOFF.maxMs) waitMs ??= dueMs;
      else if (this.#active.size < MAX_AT_ONCE) this.#begin(file);
    }
    if (waitMs !== undefined) this.#wait(waitMs);
  }

  /** Resolves when nothing is being written any more; what was is begun again at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer?.cancel();
    await Promise.all(this.#active.values());
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    if (this.#stopping.signal.aborted) return;
    this.#timer = this.#clock.after(Math.min(ms, MAX_WAIT_MS), () => this.wake());
  }

  #begin(file: OutgoingFileRow): void {
    const work = this.#stage(file)
      .catch((error: unknown) => {
        if (!isStoreUnwilling(error)) throw error;
        this.#telemetry.failure(codeOf(error, 'EDGE_STATE_FULL'), `staging file ${file.fileId}: ${messageOf(error)}`);
        return TRY_AGAIN_MS;
      })
      .then((waitMs) => {
        this.#active.delete(file.fileId);
        if (waitMs === undefined) this.wake();
        else this.#wait(waitMs);
      });
    this.#active.set(file.fileId, work);
  }

  async #stage(file: OutgoingFileRow): Promise<undefined> {
    const { fileId } = file;
    const send = this.#store.sends.ofFile(fileId);
    if (send?.state !== 'held') {
      if (file.path !== null) await this.#folder.remove(file.path);
      this.#store.transaction(() => this.#store.outgoingFiles.markRemoved(fileId, this.#clock.now()));
      return;
    }
    const startedAt = this.#clock.monotonic();
    let sizeBytes: number;
    try {
      if (file.path !== null) await this.#folder.remove(file.path); // of an attempt that a crash ended
      const path = this.#folder.newPlace(file.name);
      this.#store.transaction(() => this.#store.outgoingFiles.begin(fileId, path));
      sizeBytes = await this.#write(file, path);
    } catch (error) {
      if (isStoreUnwilling(error)) throw error;
      if (!this.#stopping.signal.aborted) this.#failed(file, send, error);
      return;
    }
    this.#store.transaction(() => {
      this.#store.outgoingFiles.markStaged(fileId, { sizeBytes, now: this.#clock.now() });
      this.#store.sends.release(send.sendId);
    });
    const ms = Math.round(this.#clock.monotonic() - startedAt);
    this.#telemetry.fileStaged({ fileId, threadId: send.threadId, bytes: sizeBytes, ms });
    this.#onStaged();
  }

  #write(file: OutgoingFileRow, path: string): Promise<number> {
    const fill = async (handle: FileHandle) => {
      if (file.url !== null) {
        await this.#fetchFile(file.url, handle, { maxBytes: this.#maxBytes, signal: this.#stopping.signal });
        return;
      }
      const data = this.#store.outgoingFiles.data(file.fileId) ?? Buffer.alloc(0);
      if (data.length > this.#maxBytes) {
        throw refused(`it is larger than attachments.max_send_bytes, ${this.#maxBytes} bytes`);
      }
      await handle.writeFile(data);
    };
    return this.#folder.write(path, fill, async (head) => {
      const flaw = head.length === 0 ? 'it is empty' : await contentFlaw(head, file.mimeType);
      if (flaw !== undefined) throw refused(flaw);
    });
  }

  #failed(file: OutgoingFileRow, send: SendRow, error: unknown): void {
    const { fileId, attempts } = file;
    const code = codeOf(error, 'EDGE_INTERNAL');
    const now = this.#clock.now();
    if (attempts + 1 >= MAX_ATTEMPTS || !(error instanceof EdgeError) || error.retry === 'never') {
      const detail = attempts === 0 ? messageOf(error) : `${messageOf(error)} (attempt ${attempts + 1})`;
      this.#store.transaction(() => {
        this.#store.outgoingFiles.fail(fileId, { code, detail, now });
        this.#onFailed(send, code, detail);
      });
      return;
    }
    const detail = messageOf(error);
    const retryInMs = backoffMs(BACKOFF, attempts + 1, () => 0);
    this.#store.transaction(() =>
      this.#store.outgoingFiles.retry(fileId, { nextAttemptAt: now + retryInMs, code, detail }),
    );
    this.#telemetry.fileRetried({ fileId, threadId: send.threadId, code, detail, retryInMs });
  }
}

function refused(detail: string): EdgeError {
  return new EdgeError('EDGE_FILE_REFUSED', detail);
}
