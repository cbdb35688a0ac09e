import type { NewSend, SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { MessagingSettings } from './MessagingSettings.ts';
import { queueText } from './queueText.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { Scheduler } from './Scheduler.ts';
import type { ScriptRunner } from './ScriptRunner.ts';
import { Sender } from './Sender.ts';

/** The parts that bring bubbles out, put together. */
export class Messaging {
  readonly #store: StateStore;
  readonly #maxBubbleChars: number;
  readonly #sender: Sender;
  readonly #scheduler: Scheduler;

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
    const { maxBubbleChars } = settings;
    this.#store = store;
    this.#maxBubbleChars = maxBubbleChars;
    this.#scheduler = new Scheduler({ store, clock, telemetry, maxBubbleChars, onDue: () => this.#sender.wake() });
  }

  start(): void {
    this.#sender.start();
    this.#scheduler.start();
  }

  /** Begins nothing new. Resolves when the osascript that runs has ended and its end is noted. */
  async stop(): Promise<void> {
    this.#scheduler.stop();
    await this.#sender.stop();
  }

  /** Queues a text as the bubbles it takes, within the caller's transaction. @returns the first of them */
  queueText(send: NewSend): SendRow {
    return queueText(this.#store, send, this.#maxBubbleChars);
  }

  /** Sends were queued. */
  sendsQueued(): void {
    this.#sender.wake();
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
