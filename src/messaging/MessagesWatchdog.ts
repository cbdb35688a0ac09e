import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { MessagesApp } from './MessagesApp.ts';
import { WatchdogRecord } from './WatchdogRecord.ts';

/** From one probe to the next, ms: Messages stands still for some seconds while it syncs or opens a large database. */
const PROBE_EVERY_MS = 30_000;
/** Probes without an answer, one after the other, that make it hung. */
const NEEDED = 2;
/**
 * From an answer to the next bubble, ms. Apple events are handled in order, so what was handed over before the question
 * has gone out by then; its row, which keeps it from being sent again, may take a moment.
 */
const ROWS_MS = 2000;

const ASKED = 'Messages does not answer';
const LOOK = 'look for a dialog on the Mac’s screen';

/**
 * Finds out whether Messages hangs when a send stalls, and restarts it. Without a stalled send it asks nothing.
 * ```
 * calm ──a send stalls──▶ asking ──answers, does not run, not permitted──▶ calm
 *                           │ no answer          ▲                           ▲
 *                           ▼                    │ 30 s                      │
 *                        doubtful ───────────────┤                           │
 *                           │ second time        │                           │
 *                           ▼                    │                           │
 *                  hung (the condition) ─────────┘                           │
 *                           │ nothing in flight, and allowed now             │
 *                           ▼                                                │
 *                       restarting ──answers─────────────────────────────────┘
 *                           └──────does not answer──▶ hung, and no restart for 6 h
 * ```
 * From the first question until it is calm again no bubble is begun: one given to a Messages that hangs would end
 * unknown although nobody was ever given it.
 */
export class MessagesWatchdog {
  readonly #store: StateStore;
  readonly #app: MessagesApp;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #restartMessages: boolean;
  readonly #hold: () => void;
  readonly #release: () => void;
  readonly #onEvent: () => void;
  readonly #record: WatchdogRecord;
  #timer: Timer | undefined;
  #work: Promise<void> | undefined;
  /** Probes without an answer since the last that had one. */
  #silent = 0;
  #isRaised = false;
  #stopped = false;

  constructor(options: {
    store: StateStore;
    app: MessagesApp;
    clock: Clock;
    telemetry: Telemetry;
    /** Off: that it hangs is reported, and nothing done. */
    restartMessages: boolean;
    /** Begins no bubble until `release`. */
    hold: () => void;
    release: () => void;
    /** An event is waiting. */
    onEvent: () => void;
  }) {
    this.#store = options.store;
    this.#app = options.app;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#restartMessages = options.restartMessages;
    this.#hold = options.hold;
    this.#release = options.release;
    this.#onEvent = options.onEvent;
    this.#record = new WatchdogRecord({ store: options.store });
  }

  /** Where the agent ended while Messages hung, or was being restarted, it is asked before anything is sent. */
  start(): void {
    if (this.#record.hungSinceAt !== undefined || this.#record.isRestartUnderWay) this.stalled();
  }

  /** A send stalled: osascript did not end in time, or no receipt came within the settle time. */
  stalled(): void {
    if (this.#work || this.#timer || this.#stopped) return;
    this.#hold();
    this.#examine();
  }

  /** The Mac slept: what was not answered before says nothing. */
  woke(): void {
    this.#silent = 0;
  }

  /** Resolves when no restart is half done: Messages is open again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#app.stop();
    await this.#work;
  }

  #examine(): void {
    this.#work = this.#look()
      .catch((error: unknown) => {
        if (!isStoreUnwilling(error) && codeOf(error, 'EDGE_INTERNAL') !== 'EDGE_SEND_SPAWN') throw error;
        this.#telemetry.failure(codeOf(error, 'EDGE_INTERNAL'), `looking after Messages: ${messageOf(error)}`);
      })
      .then(() => {
        this.#work = undefined;
        if (this.#silent > 0 || this.#isRaised) this.#after(PROBE_EVERY_MS, () => this.#examine());
        else this.#after(ROWS_MS, () => this.#release());
      });
  }

  #after(ms: number, act: () => void): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = undefined;
      act();
    });
  }

  /** One probe and what follows from it. */
  async #look(): Promise<void> {
    if (this.#record.isRestartUnderWay) return this.#endRestart(await this.#app.reopen());
    const answer = await this.#app.probe();
    if (this.#stopped) return;
    if (answer !== 'hung') {
      // That it does not run, or may not be asked, shows at the next bubble and is dealt with there.
      this.#record.answers();
      this.#calm();
      return;
    }
    this.#silent++;
    if (this.#silent < NEEDED) return;
    const now = this.#clock.now();
    this.#record.hangs(now);
    const obstacle = this.#obstacle(now);
    this.#raise(obstacle ?? 'it is quit and reopened');
    if (obstacle) return;
    this.#record.restartBegins(now);
    await this.#endRestart(await this.#app.restart());
  }

  /** What speaks against a restart now. */
  #obstacle(now: number): string | undefined {
    if (!this.#restartMessages) return 'watchdog.restart_messages is false';
    // What was handed over may still go out by itself; ended with Messages, nobody could tell.
    if (this.#store.sends.inFlight().length > 0) return 'it is not restarted while a bubble is under way';
    if (this.#record.mayRestart(now)) return undefined;
    return this.#record.wasRestartInVain ? `a restart did not help: ${LOOK}` : 'it was restarted not long ago';
  }

  /** A stop cuts the waiting for an answer short: the next start waits for it again. */
  async #endRestart(helped: boolean): Promise<void> {
    if (this.#stopped && !helped) return;
    this.#telemetry.messagesRestarted(this.#record.restartEnded(helped, this.#clock.now()));
    this.#onEvent();
    if (helped) this.#calm();
    else {
      this.#raise(`a restart did not help: ${LOOK}`);
    }
  }

  #raise(detail: string): void {
    this.#isRaised = true;
    this.#telemetry.conditionRaised('EDGE_MESSAGES_HUNG', `${ASKED}; ${detail}`);
  }

  #calm(): void {
    this.#silent = 0;
    if (this.#isRaised) this.#telemetry.conditionCleared('EDGE_MESSAGES_HUNG');
    this.#isRaised = false;
  }
}
