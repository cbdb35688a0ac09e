import type { Keeping } from '../../state/OutgoingFiles.ts';
import type { StateStore } from '../../state/StateStore.ts';
import type { Clock, Timer } from '../../util/Clock.ts';
import { ClockJumps, FINAL_SETTLE_MS } from '../../util/ClockJumps.ts';
import { codeOf, messageOf } from '../../util/EdgeError.ts';
import type { Telemetry } from '../../util/Telemetry.ts';
import type { StagingFolder } from './StagingFolder.ts';

/**
 * Messages reads a file where it lies, and goes on uploading after osascript has ended: it is deleted only when its
 * bubble was delivered, with time to spare. SMS reports no delivery. One that failed may be looked at by a person.
 */
const KEEPING: Keeping = { deliveredMs: 10 * 60_000, unreportedMs: 7 * 86_400_000, failedMs: 60 * 60_000 };
/** No file is wanted for longer than this, ms: it is nobody's. */
const FORGOTTEN_MS = 30 * 86_400_000;
/** Between two rounds, ms. */
const ROUND_MS = 5 * 60_000;
/** Files looked up at once. */
const BATCH = 100;

/** Deletes staged files that nobody reads any more. */
export class FileCleanup {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #folder: StagingFolder;
  readonly #jumps: ClockJumps;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: { store: StateStore; clock: Clock; telemetry: Telemetry; folder: StagingFolder }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#folder = options.folder;
    this.#jumps = new ClockJumps({ clock: options.clock, settleMs: FINAL_SETTLE_MS, fromStart: true });
  }

  start(): void {
    this.#timer = this.#clock.every(ROUND_MS, () => this.#queue(() => this.#removeDisposable()));
    const before = this.#clock.now() - FORGOTTEN_MS;
    this.#queue(() => this.#folder.removeForgotten(this.#store.outgoingFiles.paths(), before));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#round;
  }

  #queue(work: () => Promise<void>): void {
    this.#round = this.#round.then(() => this.#guarded(work));
  }

  /** The file first, then its row: deleting twice does no harm, and a file without a row would stay for ever. */
  async #removeDisposable(): Promise<void> {
    if (this.#jumps.doubtMs() > 0) return;
    const now = this.#clock.now();
    for (let past = 0; !this.#stopped; ) {
      const files = this.#store.outgoingFiles.disposable(past, KEEPING, now, BATCH);
      for (const { fileId, path } of files) {
        await this.#guarded(async () => {
          await this.#folder.remove(path);
          this.#store.transaction(() => this.#store.outgoingFiles.markRemoved(fileId, now));
        });
      }
      if (files.length < BATCH) return;
      past = files.at(-1)!.fileId;
    }
  }

  /** What cannot be deleted or noted now is, in a later round. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#telemetry.failure(codeOf(error, 'EDGE_FILE_STAGE'), `deleting staged files: ${messageOf(error)}`);
    }
  }
}
