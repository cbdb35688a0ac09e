import type { WebSocket } from 'ws';
import type { Clock } from '../util/Clock.ts';

/** What `allClosed` waits at most for the peers and the kernel, ms. */
const LIMIT_MS = 1500;

/** Sockets that were given up but are not closed yet. Nobody hears them any more. */
export class LeavingSockets {
  readonly #clock: Clock;
  readonly #sockets = new Set<WebSocket>();

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
  }

  add(socket: WebSocket): void {
    socket.removeAllListeners().on('error', () => {}); // an error of a socket that was given up changes nothing
    if (socket.readyState === socket.CLOSED) return;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (socket.readyState === socket.CONNECTING) socket.terminate();
  }

  /** Resolves when none is left; after 1.5 s they are broken off. */
  async allClosed(): Promise<void> {
    if (this.#sockets.size === 0) return;
    await new Promise<void>((resolve) => {
      const limit = this.#clock.after(LIMIT_MS, () => {
        for (const socket of this.#sockets) socket.terminate();
        resolve();
      });
      for (const socket of this.#sockets) {
        socket.once('close', () => {
          if (this.#sockets.size > 0) return;
          limit.cancel();
          resolve();
        });
      }
    });
  }
}
