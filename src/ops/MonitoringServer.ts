import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import { closeRouteServer, createRouteServer, type Routes } from './routes.ts';

/** A web page whose name was made to point here (DNS rebinding) asks for its own name, and gets nothing. */
const LOCAL_HOST = /^(localhost|127\.0\.0\.1)(:\d+)?$/i;

/**
 * Answers programs and browsers of this Mac. It listens on 127.0.0.1 and nowhere else, whatever is configured: what is to be
 * seen from elsewhere goes through a tunnel.
 */
export class MonitoringServer {
  readonly #port: number;
  readonly #routes: Routes;
  #server: Server | undefined;

  constructor(options: { port: number; routes: Routes }) {
    this.#port = options.port;
    this.#routes = options.routes;
  }

  /** @throws EdgeError EDGE_MONITORING_PORT */
  async start(): Promise<void> {
    const server = createRouteServer(this.#routes);
    server.prependListener('request', (request) => {
      if (!LOCAL_HOST.test(request.headers.host ?? '')) request.url = '/';
    });
    server.listen(this.#port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      const detail = `cannot listen on 127.0.0.1:${this.#port}: ${messageOf(error)}`;
      throw new EdgeError('EDGE_MONITORING_PORT', detail, { cause: error });
    }
    this.#server = server;
  }

  /** The port it listens on; differs from the one asked for when that was 0. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? this.#port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) await closeRouteServer(server);
  }
}
