import type { SyncRequest, SyncResponse } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import type { Logger } from '../util/Logger.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { syncRequest } from './syncRequest.ts';

/**
 * Commands taken from one sync: as many as may wait without an outcome, and no more, so that a backend gone wild cannot
 * fill the log and the disk at a stroke. What is left over was not acknowledged and comes again.
 */
const COMMANDS_A_SYNC = 10_000;
/** Longest wait for the last sync of an orderly stop, ms. */
const GOODBYE_MS = 1500;

/** What POST /edge/sync carries there and back. */
export class SyncExchange {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #telemetry: Telemetry;
  readonly #agentId: string;
  readonly #sync: (request: SyncRequest, signal: AbortSignal) => Promise<SyncResponse>;
  readonly #takeCommands: (commands: readonly unknown[]) => Promise<void>;
  readonly #onConfigUpdate: (raw: unknown) => void;
  readonly #onAnswer: () => void;
  readonly #startedAt: number;
  #toldFlaws = '';

  constructor(o: {
    store: StateStore;
    clock: Clock;
    logger: Logger;
    telemetry: Telemetry;
    agentId: string;
    sync(request: SyncRequest, signal: AbortSignal): Promise<SyncResponse>;
    /** Resolves when they are on disk. */
    takeCommands(commands: readonly unknown[]): Promise<void>;
    onConfigUpdate(raw: unknown): void;
    /** The backend is known to be there. */
    onAnswer(): void;
  }) {
    this.#store = o.store;
    this.#clock = o.clock;
    this.#logger = o.logger;
    this.#telemetry = o.telemetry;
    this.#agentId = o.agentId;
    this.#sync = o.sync;
    this.#takeCommands = o.takeCommands;
    this.#onConfigUpdate = o.onConfigUpdate;
    this.#onAnswer = o.onAnswer;
    this.#startedAt = o.clock.monotonic();
  }

  collect(): SyncRequest {
    return syncRequest(this.#store, {
      agentId: this.#agentId,
      uptimeMs: this.#clock.monotonic() - this.#startedAt,
    });
  }

  async deliver(response: SyncResponse): Promise<void> {
    this.#tellFlaws(response.flaws.join('; '));
    await this.#takeCommands(response.commands.slice(0, COMMANDS_A_SYNC));
    this.#store.transaction(() => {
      for (const eventId of response.ack_events) this.#store.events.ack(eventId, this.#clock.now());
    });
    if (response.config_updates) this.#onConfigUpdate(response.config_updates);
    this.#onAnswer();
  }

  /** The last sync: tells the backend at once that this is no crash; the next start tells it otherwise. */
  async sayGoodbye(): Promise<void> {
    const tooLong = new AbortController();
    const timer = this.#clock.after(GOODBYE_MS, () => tooLong.abort());
    try {
      await this.deliver(await this.#sync(this.collect(), tooLong.signal));
    } catch (error) {
      this.#logger.debug(`the backend was not told of the stop: ${messageOf(error)}`);
    } finally {
      timer.cancel();
    }
  }

  /** Once while they are the same: they come with every answer. */
  #tellFlaws(flaws: string): void {
    if (flaws !== '' && flaws !== this.#toldFlaws) {
      this.#telemetry.frameRefused('EDGE_FRAME_INVALID', `the answer to a sync: ${flaws}`);
    }
    this.#toldFlaws = flaws;
  }
}
