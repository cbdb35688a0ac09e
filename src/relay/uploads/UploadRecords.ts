import { completeCommand, failCommand } from '../../messaging/commandOutcome.ts';
import type { StateStore } from '../../state/StateStore.ts';
import type { UploadPlace, UploadRow } from '../../state/Uploads.ts';
import type { Clock } from '../../util/Clock.ts';
import { isStoreUnwilling } from '../../util/EdgeError.ts';
import type { ErrorCode } from '../../util/errors.ts';
import type { Telemetry } from '../../util/Telemetry.ts';

/**
 * What became of an upload, written down together with the acks of the commands that asked for it. Each method but
 * `located` returns false, with nothing written, while state.db takes nothing; the row then says what it said before.
 */
export class UploadRecords {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #onAcks: () => void;

  constructor(o: { store: StateStore; clock: Clock; telemetry: Telemetry; onAcks(): void }) {
    this.#store = o.store;
    this.#clock = o.clock;
    this.#telemetry = o.telemetry;
    this.#onAcks = o.onAcks;
  }

  done(row: UploadRow, sizeBytes: number): boolean {
    const result = { attachment_guid: row.attachmentGuid, size_bytes: sizeBytes };
    let commands: string[] = [];
    const isWritten = this.#write((now) => {
      this.#store.uploads.markDone(row.uploadId, sizeBytes, now);
      commands = this.#store.commands.openUploadRetries(row.attachmentGuid);
      for (const commandId of commands) completeCommand(this.#store, commandId, now, result);
    });
    if (!isWritten) return false;
    for (const commandId of commands) this.#telemetry.commandCompleted(commandId);
    if (commands.length > 0) this.#onAcks();
    return true;
  }

  /** What was asked for and never found leaves nothing but its ack. */
  failed(row: UploadRow, detail: string): boolean {
    const reason = `EDGE_UPLOAD_FAILED: ${detail}`;
    let commands: string[] = [];
    const isWritten = this.#write((now) => {
      if (this.#store.uploads.byGuid(row.attachmentGuid)?.messageGuid === '') this.#store.uploads.forget(row.uploadId);
      else this.#store.uploads.markFailed(row.uploadId, 'EDGE_UPLOAD_FAILED', detail, now);
      commands = this.#store.commands.openUploadRetries(row.attachmentGuid);
      for (const commandId of commands) failCommand(this.#store, commandId, now, reason);
    });
    if (!isWritten) return false;
    for (const commandId of commands) this.#telemetry.commandFailed(commandId, reason);
    if (commands.length > 0) this.#onAcks();
    return true;
  }

  later(row: UploadRow, ms: number, code: ErrorCode | undefined, detail: string): boolean {
    return this.#write((now) => this.#store.uploads.markRetry(row.uploadId, now + ms, code, detail));
  }

  located(row: UploadRow, place: UploadPlace): boolean {
    return this.#write(() => this.#store.uploads.locate(row.uploadId, place));
  }

  /** What failed last with `code`, or is due later than `latest`, is due now. */
  hurry(code: ErrorCode | undefined, latest = Number.MAX_SAFE_INTEGER): boolean {
    return this.#write((now) => this.#store.uploads.hurry({ now, latest, ...(code && { code }) }));
  }

  dueNow(uploadIds: readonly number[]): boolean {
    if (uploadIds.length === 0) return true;
    return this.#write((now) => {
      for (const uploadId of uploadIds) this.#store.uploads.dueNow(uploadId, now);
    });
  }

  #write(work: (now: number) => void): boolean {
    try {
      const now = this.#clock.now();
      this.#store.transaction(() => work(now));
      return true;
    } catch (error) {
      if (isStoreUnwilling(error)) return false;
      throw error;
    }
  }
}
