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
 * While nothing is read from the socket no pong can come: if that lasts, acks go by HTTP.
 */
export class AckCourier {
  readonly #isSocketUp: () => boolean;
  readonly #socket: AckSocket;
  readonly #poster: AckPoster;
  readonly #clock: Clock;
  readonly #pingIntervalMs: number;
  /** Nothing is read since this time, monotonic ms. */
  #pausedAt: number | undefined;
  #longPause: Timer | undefined;
  #byHttp = false;
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
    /** Between two pings of the socket's own. @default 30 s */
    pingIntervalMs?: number;
  }) {
    const { store, clock, telemetry, random, sendFrame, postAck, sendPing } = options;
    this.#isSocketUp = () => options.isSocketUp() && !this.#byHttp;
    this.#clock = clock;
    this.#pingIntervalMs = options.pingIntervalMs ?? 30_000;
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

  /** The secret is another: an ack that was refused with the one before is posted at once. */
  secretChanged(): void {
    if (this.#started) this.#poster.secretChanged();
  }

  socketUp(): void {
    this.#socket.reset();
    this.wake();
  }

  socketDown(): void {
    this.#socket.reset();
    this.wake();
  }

  /** Nothing is read from the socket, of whatever connection, until `resume`. */
  pause(): void {
    if (this.#pausedAt !== undefined) return;
    this.#pausedAt = this.#clock.monotonic();
    this.#longPause = this.#clock.after(LONG_PAUSE_MS, () => {
      this.#byHttp = true;
      this.#socket.reset();
      this.wake();
    });
  }

  resume(): void {
    if (this.#pausedAt === undefined) return;
    this.#longPause?.cancel();
    // The regular ones, one that the socket sends now, and those that asked for the proof of acks.
    const pings = Math.ceil((this.#clock.monotonic() - this.#pausedAt) / this.#pingIntervalMs) + 3;
    this.#pausedAt = undefined;
    this.#byHttp = false;
    this.#socket.unread(pings);
    this.wake();
  }

  /** A pong came. */
  pong(): void {
    if (this.#started) this.#socket.pong();
  }

  /** Starts nothing new and gives the request that runs a second. What is not proven is sent again by the next start. */
  async stop(): Promise<void> {
    this.#started = false;
    this.#longPause?.cancel();
    this.#socket.reset();
    await this.#poster.stop();
  }
}
