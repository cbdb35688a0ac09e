import type { ScheduleState } from '../state/Schedules.ts';
import type { NewSend, SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { FilesOut } from './files/FilesOut.ts';
import { MessagesApp } from './MessagesApp.ts';
import { MessagesWatchdog } from './MessagesWatchdog.ts';
import type { MessagingSettings } from './MessagingSettings.ts';
import type { HeldBack, PaceSettings } from './Pace.ts';
import { queueText } from './queueText.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { Scheduler } from './Scheduler.ts';
import { ScriptQueue } from './ScriptQueue.ts';
import type { ScriptRunner } from './ScriptRunner.ts';
import { Sender } from './Sender.ts';
import { SendOutcomes } from './SendOutcomes.ts';
import { WakeMessage } from './WakeMessage.ts';

/** The parts that bring bubbles out, put together. */
export class Messaging {
  readonly #store: StateStore;
  readonly #maxBubbleChars: number;
  readonly #sender: Sender;
  readonly #scheduler: Scheduler;
  readonly #watchdog: MessagesWatchdog;
  readonly #wakeMessage: WakeMessage | undefined;
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
    const runner = new ScriptQueue({ runner: options.runner });
    const app = new MessagesApp({ runner, clock, telemetry });
    this.#sender = new Sender({
      store,
      chatDb: options.chatDb,
      epoch: options.epoch,
      runner,
      clock,
      telemetry,
      scriptTimeoutSeconds: settings.scriptTimeoutSeconds,
      settleSeconds: settings.settleSeconds,
      pace: settings,
      onMissingReceipt: settings.onMissingReceipt,
      smsFallback: settings.smsFallback,
      launchMessages: () => app.launch(),
      onSettled: options.onSettled,
      onStall: () => this.#watchdog.stalled(),
    });
    this.#scheduler = new Scheduler({
      store,
      clock,
      telemetry,
      maxLateSeconds: settings.maxLateSeconds,
      maxBubbleChars: settings.maxBubbleChars,
      canSend: () => options.chatDb() !== undefined && this.#sender.isReady,
      onDue: () => this.#sender.wake(),
      onSettled: options.onSettled,
    });
    this.#store = store;
    this.#maxBubbleChars = settings.maxBubbleChars;
    this.#watchdog = new MessagesWatchdog({
      store,
      app,
      clock,
      telemetry,
      restartMessages: settings.restartMessages,
      hold: () => this.#sender.hold(),
      release: () => this.#sender.release(),
      onEvent: options.onSettled,
    });
    const { silenceHours, wakeHandle: handle } = settings;
    const onQueued = () => {
      this.#sender.wake();
      options.onSettled();
    };
    this.#wakeMessage =
      silenceHours > 0 && handle !== undefined
        ? new WakeMessage({ store, clock, telemetry, silenceHours, handle, onQueued })
        : undefined;
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
    this.#watchdog.start(); // first: a Messages that hung when the agent ended gets no bubble before it has answered
    this.#sender.start();
    this.#scheduler.start();
    this.#filesOut.start();
    this.#wakeMessage?.start();
  }

  /** Begins nothing new. Resolves when the osascript that runs has ended and its end is noted. */
  async stop(): Promise<void> {
    this.#wakeMessage?.stop();
    this.#scheduler.stop();
    await Promise.all([this.#filesOut.stop(), this.#sender.stop(), this.#watchdog.stop()]);
  }

  /** From the next bubble on; what was begun counts against the new limits, as after a restart. */
  setPace(pace: PaceSettings): void {
    this.#sender.setPace(pace);
  }

  /** What sending.rate holds back now. */
  heldBack(): HeldBack {
    return this.#sender.heldBack();
  }

  /** Queues a text as the bubbles it takes, within the caller's transaction. @returns the first of them */
  queueText(send: NewSend): SendRow {
    return queueText(this.#store, send, this.#maxBubbleChars);
  }

  /** Sends of this thread were queued, in the transaction under way: the next one may be begun in it. */
  begin(threadId: string): void {
    this.#sender.begin(threadId);
  }

  /** Sends were queued, in this thread or in any. */
  sendsQueued(threadId?: string): void {
    this.#sender.wake(threadId);
    this.#filesOut.wake();
  }

  /** Schedules were added or cancelled. */
  schedulesChanged(): void {
    this.#scheduler.wake();
  }

  /** The state it was found in, `pending` when it was cancelled; undefined when there is no such schedule. */
  cancelSchedule(scheduleId: string): ScheduleState | undefined {
    return this.#scheduler.cancel(scheduleId);
  }

  /** chat.db changed. */
  chatDbChanged(): void {
    this.#sender.chatDbChanged();
  }

  /** chat.db can be read again. */
  chatDbOpened(): void {
    this.#sender.wake();
    this.#scheduler.wake();
  }

  /** The Mac slept. */
  woke(): void {
    this.#wakeMessage?.woke();
    this.#watchdog.woke();
    this.#scheduler.wake();
    this.#sender.woke();
  }
}
