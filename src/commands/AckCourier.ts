import type { AgentFrame, CommandAck } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { AckPoster } from './AckPoster.ts';
import { AckSocket } from './AckSocket.ts';

/** Pauses are a fraction of a second, or as long as thousands of bubbles take: from here on it is the latter, ms. */
const LONG_PAUSE_MS = 2000;

/**
 * Brings acks to the backend: over the socket while it is up, else by HTTP, in their order, until each is known to be
 * there. An ack may arrive twice, never not at all.
 *
 * While nothing is read from the socket no pong can come: if that lasts, acks go by HTTP. So they do when a connection
 * that lives brings no pong, full as it may be, or brings them too late to prove anything, until it brings one or another
 * takes its place.
 */
export class AckCourier {
  readonly #isSocketUp: () => boolean;
  readonly #socket: AckSocket;
  readonly #poster: AckPoster;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  #longPause: Timer | undefined;
  #isLongPause = false;
  /** This connection lives and brings no pong. */
  #isMute = false;
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
    sendPing: () => boolean;
    /** Pings sent over the open connection and not answered yet. */
    unansweredPings: () => number;
  }) {
    const { store, clock, telemetry, random, sendFrame, postAck, sendPing, unansweredPings } = options;
    this.#isSocketUp = () => options.isSocketUp() && !this.#isLongPause && !this.#isMute;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#socket = new AckSocket({
      store,
      clock,
      telemetry,
      sendFrame,
      sendPing,
      unansweredPings,
      onNoPong: (sinceMs) => this.#noPong(sinceMs),
    });
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

  /** The secret is another: an ack that was refused with the one before is posted at once. */
  secretChanged(): void {
    if (this.#started) this.#poster.secretChanged();
  }

  socketUp(): void {
    this.#anotherSocket();
  }

  socketDown(): void {
    this.#anotherSocket();
  }

  /** Nothing is read from the socket, of whatever connection, until `resume`. */
  pause(): void {
    this.#longPause ??= this.#clock.after(LONG_PAUSE_MS, () => {
      this.#isLongPause = true;
      this.#socket.reset();
      this.wake();
    });
  }

  resume(): void {
    this.#longPause?.cancel();
    this.#longPause = undefined;
    this.#isLongPause = false;
    this.wake();
  }

  /** A pong came. */
  pong(): void {
    if (!this.#started) return;
    if (this.#isMute) {
      this.#isMute = false;
      this.wake();
    }
    this.#socket.pong();
  }

  /** Starts nothing new and gives the request that runs a second. What is not proven is sent again by the next start. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#longPause?.cancel();
    this.#socket.reset();
    await this.#poster.stop();
  }

  #noPong(sinceMs: number): void {
    this.#telemetry.failure('EDGE_BACKEND_UNREACHABLE', `no pong within ${sinceMs / 1000} s: acks go by HTTP`);
    this.#isMute = true;
    this.#socket.reset();
    this.wake();
  }

  #anotherSocket(): void {
    this.#isMute = false;
    this.#socket.reset();
    this.wake();
  }
}
