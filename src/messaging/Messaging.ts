import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { FilesOut } from './files/FilesOut.ts';
import type { MessagingSettings } from './MessagingSettings.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { Scheduler } from './Scheduler.ts';
import type { ScriptRunner } from './ScriptRunner.ts';
import { Sender } from './Sender.ts';
import { SendOutcomes } from './SendOutcomes.ts';

/** The parts that bring bubbles out, put together. */
export class Messaging {
  readonly #sender: Sender;
  readonly #scheduler: Scheduler;
  readonly #filesOut: FilesOut;

  constructor(options: {
    store: StateStore;
    /** Undefined while chat.db cannot be opened. */
    chatDb: () => ReceiptSource | undefined;
    epoch: () => number;
    runner: ScriptRunner;
    clock: Clock;
    telemetry: Telemetry;
    settings: MessagingSettings;
    /** Acks and events may be waiting. */
    onSettled: () => void;
  }) {
    const { store, clock, telemetry, settings } = options;
    this.#sender = new Sender({
      store,
      chatDb: options.chatDb,
      epoch: options.epoch,
      runner: options.runner,
      clock,
      telemetry,
      scriptTimeoutSeconds: settings.scriptTimeoutSeconds,
      settleSeconds: settings.settleSeconds,
      onSettled: options.onSettled,
    });
    this.#scheduler = new Scheduler({ store, clock, telemetry, onDue: () => this.#sender.wake() });
    const outcomes = new SendOutcomes({ store, clock, telemetry });
    this.#filesOut = new FilesOut({
      store,
      clock,
      telemetry,
      stagingDir: settings.stagingDir,
      maxBytes: settings.maxSendBytes,
      onStaged: () => this.#sender.wake(),
      onFailed: (send, code, detail) => {
        outcomes.failed(send, code, detail);
        store.afterCommit(() => {
          this.#sender.wake();
          options.onSettled();
        });
      },
    });
  }

  start(): void {
    this.#sender.start();
    this.#scheduler.start();
    this.#filesOut.start();
  }

  /** Begins nothing new. Resolves when the osascript that runs has ended and its end is noted. */
  async stop(): Promise<void> {
    this.#scheduler.stop();
    await Promise.all([this.#filesOut.stop(), this.#sender.stop()]);
  }

  /** Sends were queued. */
  sendsQueued(): void {
    this.#sender.wake();
    this.#filesOut.wake();
  }

  /** Schedules were added or cancelled. */
  schedulesChanged(): void {
    this.#scheduler.wake();
  }

  /** chat.db changed. */
  chatDbChanged(): void {
    this.#sender.chatDbChanged();
  }

  /** chat.db can be read again. */
  chatDbOpened(): void {
    this.#sender.wake();
  }

  /** The Mac slept. */
  woke(): void {
    this.#scheduler.wake();
    this.#sender.woke();
  }
}
