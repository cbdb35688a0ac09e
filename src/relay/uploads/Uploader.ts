import { UPLOAD_SOCKETS } from '../../backend/BackendClient.ts';
import type { UploadFile } from '../../backend/multipart.ts';
import type { ChatRow } from '../../chatdb/types.ts';
import type { MessageRequest } from '../../protocol/wire.ts';
import type { StateStore } from '../../state/StateStore.ts';
import type { UploadRow } from '../../state/Uploads.ts';
import { type BackoffPolicy, backoffMs } from '../../util/backoff.ts';
import type { Clock, Timer } from '../../util/Clock.ts';
import { ClockJumps, FINAL_SETTLE_MS } from '../../util/ClockJumps.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../../util/EdgeError.ts';
import type { ErrorCode } from '../../util/errors.ts';
import { NETWORK_CODES } from '../../util/networkCodes.ts';
import type { Random } from '../../util/Random.ts';
import type { Telemetry } from '../../util/Telemetry.ts';
import type { PrivacyFilter } from '../privacy.ts';
import { type AttachmentSource, locate, type UploadMode, wantedOf } from './locate.ts';
import { openAttachment } from './openAttachment.ts';
import { UploadGate } from './UploadGate.ts';
import { UploadRecords } from './UploadRecords.ts';

/** As for messages. */
const RETRY: BackoffPolicy = { firstMs: 1_000, maxMs: 300_000, jitter: 0.25 };
/** The longest that any wait is, ms: a Retry-After. What is due later is so because the clock was set back. */
const LONGEST_WAIT_MS = 900_000;
/** Of the uploads at once, those that backfill may have. */
const BACKFILL_SOCKETS = UPLOAD_SOCKETS - 1;
/** How often a file that Messages has not downloaded is looked for, ms, beside a look when chat.db changes. */
const LOOK_EVERY_MS = 60_000;
/** From a change of chat.db to that look, ms: changes come in crowds. */
const LOOK_AFTER_MS = 250;
/** Files looked for at a change of chat.db; the others wait for their time. */
const LOOKED_FOR = 100;
/** A file that is not downloaded for so long will not be, ms. */
const DOWNLOAD_LIMIT_MS = 7 * 86_400_000;
/** What is looked for so long after its time was not looked for meanwhile, ms: the Mac slept, or chat.db was away. */
const MISSED_MS = 10 * 60_000;
/** Attempts for a file that chat.db calls downloaded and that is not there: it is moved to its place last. */
const MISSING_ATTEMPTS = 5;

export interface UploadSettings {
  mode: UploadMode;
  /** Where messages of chat.db keep their files. */
  attachmentsPath: string;
  uploadPath: string;
  waitSeconds: number;
  maxBytes: number;
}

export interface UploaderOptions {
  store: StateStore;
  clock: Clock;
  random: Random;
  telemetry: Telemetry;
  privacy: PrivacyFilter;
  settings: UploadSettings;
  /** Undefined while chat.db cannot be read. */
  source(): AttachmentSource | undefined;
  /** Rejects with an EdgeError; one that carries `retryAfterMs` says when to come again. */
  upload(path: string, file: UploadFile, signal: AbortSignal): Promise<void>;
  /** A message of this thread waits for one file less; undefined: those of all threads need not wait any more. */
  onReleased(threadId?: string): void;
  /** Acks were written. */
  onAcks(): void;
}

type Outcome = { kind: 'done'; sizeBytes: number; messageGuid: string } | { kind: 'pending' } | { kind: 'unknown' };

/**
 * Brings the files of messages to the backend; state/Uploads.ts has the states. What is live goes first, and every file
 * is looked up in chat.db and checked again right before it is read. In memory is only what is under way: after a crash
 * it is posted again under the same key. EDGE_STATE_IO is not caught, as in the pump.
 */
export class Uploader {
  readonly #o: UploaderOptions;
  readonly #gate: UploadGate;
  readonly #records: UploadRecords;
  readonly #jumps: ClockJumps;
  readonly #running = new Map<number, { backfill: boolean; abort: AbortController; ended: Promise<void> }>();
  /** Files that Messages has not downloaded: upload_id → attachment guid; at most LOOKED_FOR. */
  readonly #notDownloaded = new Map<number, string>();
  #state: 'new' | 'started' | 'stopped' = 'new';
  #timer: Timer | undefined;
  #downloadTimer: Timer | undefined;
  #lookScheduled = false;
  /** Messages may yet download what it missed, monotonic ms. */
  #patientUntil = 0;

  constructor(o: UploaderOptions) {
    this.#o = o;
    this.#gate = new UploadGate({ clock: o.clock, random: o.random, policy: RETRY, onOpen: () => this.wake() });
    this.#records = new UploadRecords(o);
    this.#jumps = new ClockJumps({ clock: o.clock, settleMs: FINAL_SETTLE_MS, fromStart: true });
  }

  start(): void {
    this.#state = 'started';
    this.wake();
  }

  /** Breaks off what is under way: it is uploaded again under the same key. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#gate.stop();
    this.#timer?.cancel();
    this.#downloadTimer?.cancel();
    for (const { abort } of this.#running.values()) abort.abort();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  /** Writes down which files of a message are wanted, within the transaction that admits it. */
  want(row: ChatRow, body: MessageRequest, { threadId, now }: { threadId: string; now: number }): void {
    const { store, settings } = this.#o;
    const files = wantedOf(row, body, settings.mode);
    const backfill = body.backfill === true;
    for (const { guid, path, name, mimeType, sizeBytes, transferState } of files) {
      const isHeld = !backfill && settings.waitSeconds > 0 && transferState === 'finished';
      const messageWaitsUntilAt = isHeld ? now + settings.waitSeconds * 1_000 : undefined;
      const place = { messageGuid: row.guid, threadId, path, name, mimeType, sizeBytes };
      store.uploads.insert({ ...place, attachmentGuid: guid, backfill, messageWaitsUntilAt, now });
    }
    if (files.length > 0) store.afterCommit(() => this.wake());
  }

  /** How long a message still waits for its files, ms; never longer than it may, whatever became of the clock. */
  heldMs(messageGuid: string): number {
    if (this.#gate.isMissing) return 0;
    const until = this.#o.store.uploads.heldUntil(messageGuid);
    const left = until === undefined ? 0 : until - this.#o.clock.now();
    return left > 0 && left <= this.#o.settings.waitSeconds * 1_000 ? left : 0;
  }

  /** Files may be waiting, or chat.db can be read again. */
  wake(): void {
    if (this.#lookScheduled) return;
    this.#lookScheduled = true;
    queueMicrotask(() => {
      this.#lookScheduled = false;
      this.#look();
    });
  }

  /** The backend is known to be there. */
  backendSeen(): void {
    if (this.#gate.seen()) this.#hurry(NETWORK_CODES);
  }

  /** The secret is another: what was refused with the one before goes at once. */
  secretChanged(): void {
    if (this.#gate.secretChanged()) this.#hurry(['EDGE_BACKEND_AUTH', 'EDGE_SECRET_MISSING']);
  }

  /** A file that was not downloaded may be there. */
  chatDbChanged(): void {
    if (this.#notDownloaded.size === 0 || this.#downloadTimer || this.#state !== 'started') return;
    this.#downloadTimer = this.#o.clock.after(LOOK_AFTER_MS, () => {
      this.#downloadTimer = undefined;
      this.#records.dueNow([...this.#notDownloaded.keys()].filter((id) => !this.#isPending(id)));
      this.wake();
    });
  }

  #hurry(codes: readonly ErrorCode[]): void {
    this.#o.telemetry.conditionCleared('EDGE_UPLOAD_RETRIED');
    for (const code of codes) this.#records.hurry(code);
    this.wake();
  }

  #isPending(uploadId: number): boolean {
    const guid = this.#notDownloaded.get(uploadId)!;
    try {
      const message = this.#o.source()?.messageOfAttachment(guid);
      return message?.attachments.find((file) => file.guid === guid)?.transferState === 'pending';
    } catch {
      return true; // chat.db cannot be read now, and it is looked for again in its time
    }
  }

  #look(): void {
    if (this.#state !== 'started' || !this.#o.source()) return;
    this.#timer?.cancel();
    const { clock, store } = this.#o;
    const now = clock.now();
    if (store.uploads.lastAt() > now + LONGEST_WAIT_MS) this.#records.hurry(undefined, now + LONGEST_WAIT_MS);
    const room = () => this.#gate.limit(UPLOAD_SOCKETS) - this.#running.size;
    this.#begin('live', now, room());
    const backfill = [...this.#running.values()].filter((one) => one.backfill).length;
    this.#begin('backfill', now, Math.min(room(), BACKFILL_SOCKETS - backfill));
    if (room() <= 0) return; // what ends, or the gate, looks again
    const next = Math.min(
      ...(['live', 'backfill'] as const).map((kind) => store.uploads.nextAt(kind, now) ?? Infinity),
    );
    if (next < Infinity) this.#timer = clock.after(next - now, () => this.#look());
  }

  #begin(kind: 'live' | 'backfill', now: number, room: number): void {
    if (room <= 0) return;
    const due = this.#o.store.uploads.due(kind, now, room + this.#running.size);
    const idle = due.filter(({ uploadId }) => !this.#running.has(uploadId)).slice(0, room);
    for (const row of idle) this.#start(row);
  }

  #start(row: UploadRow): void {
    const abort = new AbortController();
    const startedAt = this.#o.clock.monotonic();
    // In a turn of its own: what it calls back finds it counted as running.
    const ended = Promise.resolve()
      .then(() => this.#upload(row, abort.signal))
      .then(
        (outcome) => this.#ended(row, outcome, startedAt),
        (error: unknown) => this.#failed(row, error),
      )
      .finally(() => {
        this.#running.delete(row.uploadId);
        this.wake();
      });
    this.#running.set(row.uploadId, { backfill: row.backfill === 1, abort, ended });
  }

  async #upload(row: UploadRow, signal: AbortSignal): Promise<Outcome> {
    const { clock, privacy, settings, store } = this.#o;
    const source = this.#o.source();
    if (!source) return { kind: 'pending' };
    const place = locate(row, { source, store, privacy, mode: settings.mode, now: clock.now() });
    if (typeof place === 'string') return { kind: place };
    if (row.messageGuid === '') this.#records.located(row, place);
    const file = await openAttachment(place.path, { root: settings.attachmentsPath, maxBytes: settings.maxBytes });
    try {
      signal.throwIfAborted();
      const { sizeBytes } = file;
      const { attachmentGuid } = row;
      await this.#o.upload(
        settings.uploadPath,
        { ...place, attachmentGuid, sizeBytes, open: () => file.read() },
        signal,
      );
      return { kind: 'done', sizeBytes, messageGuid: place.messageGuid };
    } finally {
      await file.close();
    }
  }

  #ended(row: UploadRow, outcome: Outcome, startedAt: number): void {
    const { clock, telemetry } = this.#o;
    this.#notDownloaded.delete(row.uploadId);
    if (outcome.kind === 'unknown') this.#giveUp(row, `chat.db has no attachment ${row.attachmentGuid}`);
    else if (outcome.kind === 'pending') this.#awaitDownload(row);
    else if (this.#records.done(row, outcome.sizeBytes)) {
      this.#answered();
      const { sizeBytes: bytes, messageGuid } = outcome;
      const ms = clock.monotonic() - startedAt;
      telemetry.uploaded({ attachmentGuid: row.attachmentGuid, messageGuid, bytes, ms });
      this.#o.onReleased(row.threadId);
    } else this.#unnoted();
  }

  #awaitDownload(row: UploadRow): void {
    const { clock } = this.#o;
    const now = clock.now();
    if (now - row.nextAttemptAt > MISSED_MS) this.#patientUntil = clock.monotonic() + FINAL_SETTLE_MS;
    const isPatient = this.#jumps.doubtMs() > 0 || clock.monotonic() < this.#patientUntil;
    if (now - row.createdAt > DOWNLOAD_LIMIT_MS && !isPatient) {
      this.#giveUp(row, 'Messages did not download it within 7 days');
      return;
    }
    if (this.#notDownloaded.size < LOOKED_FOR) this.#notDownloaded.set(row.uploadId, row.attachmentGuid);
    if (!this.#records.later(row, LOOK_EVERY_MS, undefined, 'Messages has not downloaded it yet')) this.#unnoted();
  }

  /** False when that cannot be noted now: it is tried again. */
  #giveUp(row: UploadRow, detail: string): boolean {
    if (!this.#records.failed(row, detail)) {
      this.#unnoted();
      return false;
    }
    const { store, telemetry } = this.#o;
    telemetry.uploadFailed({ attachmentGuid: row.attachmentGuid, code: 'EDGE_UPLOAD_FAILED', detail });
    if (store.uploads.lastAt() === 0) telemetry.conditionCleared('EDGE_UPLOAD_RETRIED'); // none waits any more
    this.#o.onReleased(row.threadId);
    return true;
  }

  #failed(row: UploadRow, error: unknown): void {
    if (codeOf(error, 'EDGE_INTERNAL') === 'EDGE_STATE_IO') throw error;
    if (this.#state === 'stopped') return;
    this.#notDownloaded.delete(row.uploadId);
    const code = codeOf(error, 'EDGE_UPLOAD_RETRIED');
    if (code === 'EDGE_UPLOAD_FAILED' || code === 'EDGE_BACKEND_REJECTED') {
      if (this.#giveUp(row, messageOf(error)) && code === 'EDGE_BACKEND_REJECTED') this.#answered();
      return;
    }
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && row.attempts + 1 >= MISSING_ATTEMPTS) {
      this.#giveUp(row, 'the file is not where chat.db says');
      return;
    }
    this.#retry(row, error, code);
  }

  #retry(row: UploadRow, error: unknown, code: ReturnType<typeof codeOf>): void {
    const { telemetry, random } = this.#o;
    const detail = messageOf(error);
    const asked = (error as { retryAfterMs?: unknown }).retryAfterMs;
    const own = UploadGate.delayOf(code) ?? backoffMs(RETRY, row.attempts + 1, random);
    // A Retry-After of 0, or a date of a clock that is behind, must not make a loop.
    const askedMs = Math.min(Math.max(Number(asked), RETRY.firstMs), LONGEST_WAIT_MS);
    const spread = () => backoffMs({ ...RETRY, firstMs: askedMs, maxMs: askedMs }, 1, random);
    const retryInMs = typeof asked === 'number' ? spread() : own;
    const isNoted = isStoreUnwilling(error) || this.#records.later(row, retryInMs, code, detail);
    const isShared = this.#isShared(row, code, isNoted);
    // What is wrong with the backend is said once, what is wrong with a file each time.
    if (isShared) telemetry.conditionRaised('EDGE_UPLOAD_RETRIED', detail);
    else {
      if (code === 'EDGE_BACKEND_BUSY') telemetry.conditionCleared('EDGE_UPLOAD_RETRIED');
      const { attachmentGuid } = row;
      telemetry.uploadRetried({ attachmentGuid, code: 'EDGE_UPLOAD_RETRIED', detail, retryInMs });
    }
    if (this.#gate.isMissing) this.#o.onReleased();
  }

  /** Whether all uploads wait now. Where it could not be noted when this one is due, only the gate holds it back. */
  #isShared(row: UploadRow, code: ErrorCode, isNoted: boolean): boolean {
    if (this.#gate.failed(code)) return true;
    if (!isNoted) return this.#unnoted();
    return code === 'EDGE_BACKEND_BUSY' && this.#gate.busy(row.uploadId);
  }

  /** What became of the file could not be noted: it is uploaded again in a while, or as soon as that can be. */
  #unnoted(): boolean {
    this.#o.store.whenWritable(this.#storeTakes);
    return this.#gate.failed('EDGE_STATE_BUSY');
  }

  readonly #storeTakes = () => {
    if (this.#state !== 'stopped' && this.#gate.storeTakes()) this.wake();
  };

  #answered(): void {
    this.#gate.answered();
    this.#o.telemetry.conditionCleared('EDGE_UPLOAD_RETRIED');
  }
}
