import type { SendRow } from '../../state/SendRow.ts';
import type { StateStore } from '../../state/StateStore.ts';
import type { Clock } from '../../util/Clock.ts';
import type { ErrorCode } from '../../util/errors.ts';
import type { Telemetry } from '../../util/Telemetry.ts';
import { FileCleanup } from './FileCleanup.ts';
import { FileFetcher } from './FileFetcher.ts';
import { type FetchFile, FileStager } from './FileStager.ts';
import { StagingFolder } from './StagingFolder.ts';

/** The files of bubbles, from the command to their end: fetched, checked, staged, and deleted when nobody needs them. */
export class FilesOut {
  readonly #stager: FileStager;
  readonly #cleanup: FileCleanup;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    stagingDir: string;
    maxBytes: number;
    /** @default FileFetcher */
    fetchFile?: FetchFile;
    onStaged: () => void;
    onFailed: (send: SendRow, code: ErrorCode, detail: string) => void;
  }) {
    const { store, clock, telemetry } = options;
    const folder = new StagingFolder({ path: options.stagingDir });
    const fetcher = new FileFetcher({ clock });
    this.#cleanup = new FileCleanup({ store, clock, telemetry, folder });
    this.#stager = new FileStager({
      store,
      clock,
      telemetry,
      folder,
      maxBytes: options.maxBytes,
      fetchFile: options.fetchFile ?? ((url, file, o) => fetcher.fetch(url, file, o)),
      onStaged: options.onStaged,
      onFailed: options.onFailed,
    });
  }

  start(): void {
    this.#cleanup.start();
    this.#stager.start();
  }

  /** Sends were queued. */
  wake(): void {
    this.#stager.wake();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#stager.stop(), this.#cleanup.stop()]);
  }
}
