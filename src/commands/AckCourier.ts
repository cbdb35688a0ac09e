import type { AgentFrame, CommandAck } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { AckPoster } from './AckPoster.ts';
import { AckSocket } from './AckSocket.ts';

/**
 * Brings acks to the backend: over the socket while it is up, else by HTTP, in their order, until each is known to be
 * there. An ack may arrive twice, never not at all.
 */
export class AckCourier {
  readonly #isSocketUp: () => boolean;
  readonly #socket: AckSocket;
  readonly #poster: AckPoster;
  #started = false;

  constructor(options: {
    store: StateStore;
    clock: Clock;
    telemetry: Telemetry;
    random: Random;
    isSocketUp: () => boolean;
    /** False when the frame could not even be written. */
    sendFrame: (frame: AgentFrame) => boolean;
    postAck: (ack: CommandAck, signal: AbortSignal) => Promise<void>;
    /** Asks for a pong soon, so that acks need not wait for the next regular ping to be proven. */
    sendPing?: () => void;
  }) {
    const { store, clock, telemetry, random, sendFrame, postAck, sendPing } = options;
    this.#isSocketUp = options.isSocketUp;
    this.#socket = new AckSocket({ store, clock, telemetry, sendFrame, sendPing: sendPing ?? (() => {}) });
    this.#poster = new AckPoster({ store, clock, telemetry, random, postAck, mayPost: () => !this.#isSocketUp() });
  }

  start(): void {
    this.#started = true;
    this.wake();
  }

  /** Acks are due. */
  wake(): void {
    if (!this.#started) return;
    if (this.#isSocketUp()) this.#socket.wake();
    else this.#poster.wake();
  }

  socketUp(): void {
    this.#socket.reset();
    this.wake();
  }

  socketDown(): void {
    this.#socket.reset();
    this.wake();
  }

  /** A pong came. */
  pong(): void {
    if (this.#started) this.#socket.pong();
  }

  /** Starts nothing new and gives the request that runs a second. What is not proven is sent again by the next start. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#socket.reset();
    await this.#poster.stop();
  }
}
