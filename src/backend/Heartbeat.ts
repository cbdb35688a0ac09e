import type { Clock, Timer } from '../util/Clock.ts';

/** How long a peer may be silent after a ping before it is held dead, ms. The protocol fixes it. */
export const SILENCE_LIMIT_MS = 10_000;

export interface HeartbeatOptions {
  clock: Clock;
  intervalMs: number;
  /** Writes a ping to the socket; false when it is not taken. */
  sendPing(): boolean;
  /** The peer was silent for 10 s after a ping; called once. */
  onDead(): void;
}

/**
 * Proves that the peer of one connection is alive: a socket that leads nowhere stays open for minutes, and what is
 * written to it seems to succeed. A ping starts the deadline, any frame lifts it.
 */
export class Heartbeat {
  readonly #o: HeartbeatOptions;
  #interval: Timer | undefined;
  #deadline: Timer | undefined;
  #pingedAt: number | undefined;
  #held = false;

  constructor(options: HeartbeatOptions) {
    this.#o = options;
  }

  /** Pings at once, since a handshake may have come from a proxy with nothing behind it, and then every interval. */
  start(): void {
    this.#interval = this.#o.clock.every(this.#o.intervalMs, () => this.ping());
    this.ping();
  }

  ping(): boolean {
    this.#pingedAt = this.#o.clock.monotonic();
    const isSent = this.#o.sendPing();
    this.#arm();
    return isSent;
  }

  /** Any frame came. */
  heard(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
  }

  /** Milliseconds since the last ping, for the pong that came. */
  sincePing(): number {
    return this.#pingedAt === undefined ? 0 : this.#o.clock.monotonic() - this.#pingedAt;
  }

  /** Nothing is being read: pings go on for the peer's sake, but silence proves nothing. */
  hold(): void {
    this.#held = true;
    this.heard();
  }

  /** Reading goes on; the peer is asked at once. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.ping();
  }

  stop(): void {
    this.#interval?.cancel();
    this.heard();
  }

  #arm(): void {
    // Not pushed back by later pings, or a short interval would keep a dead peer alive.
    if (this.#held || this.#deadline) return;
    this.#deadline = this.#o.clock.after(SILENCE_LIMIT_MS, () => {
      this.stop();
      this.#o.onDead();
    });
  }
}
