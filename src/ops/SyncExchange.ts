import type { SyncRequest, SyncResponse } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import type { Logger } from '../util/Logger.ts';
import { syncRequest } from './syncRequest.ts';

/** Commands taken from one sync, so that a backend gone wild cannot fill the log and the disk at a stroke. */
const COMMANDS_A_SYNC = 1000;
/** Longest wait for the last sync of an orderly stop, ms. */
const GOODBYE_MS = 1500;

/** What POST /edge/sync carries there and back. */
export class SyncExchange {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #agentId: string;
  readonly #sync: (request: SyncRequest, signal: AbortSignal) => Promise<SyncResponse>;
  readonly #onCommand: (raw: unknown) => void;
  readonly #onConfigUpdate: (raw: unknown) => void;
  readonly #onAnswer: () => void;
  readonly #startedAt: number;

  constructor(o: {
    store: StateStore;
    clock: Clock;
    logger: Logger;
    agentId: string;
    sync(request: SyncRequest, signal: AbortSignal): Promise<SyncResponse>;
    onCommand(raw: unknown): void;
    onConfigUpdate(raw: unknown): void;
    /** The backend is known to be there. */
    onAnswer(): void;
  }) {
    this.#store = o.store;
    this.#clock = o.clock;
    this.#logger = o.logger;
    this.#agentId = o.agentId;
    this.#sync = o.sync;
    this.#onCommand = o.onCommand;
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

  deliver(response: SyncResponse): void {
    // What is left over was not acknowledged and comes again.
    for (const raw of response.commands.slice(0, COMMANDS_A_SYNC)) this.#onCommand(raw);
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
      this.deliver(await this.#sync(this.collect(), tooLong.signal));
    } catch (error) {
      this.#logger.debug(`the backend was not told of the stop: ${messageOf(error)}`);
    } finally {
      timer.cancel();
    }
  }
}
