import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import type { Metrics } from './metrics.ts';
import { prometheusText } from './prometheus.ts';
import { closeRouteServer, createRouteServer, type Routes } from './routes.ts';
import type { AgentStatus } from './status.ts';

/** A web page whose name was made to point here (DNS rebinding) asks for its own name, and gets nothing. */
const LOCAL_HOST = /^(localhost|127\.0\.0\.1)(:\d+)?$/i;

/** GET /health and GET /metrics for this machine, and what `routes` adds. */
export class MonitoringServer {
  readonly #port: number;
  readonly #metrics: Metrics;
  readonly #status: () => AgentStatus;
  readonly #routes: Routes;
  #server: Server | undefined;

  constructor(options: { port: number; metrics: Metrics; status: () => AgentStatus; routes?: Routes }) {
    this.#port = options.port;
    this.#metrics = options.metrics;
    this.#status = options.status;
    this.#routes = options.routes ?? {};
  }

  /** @throws EdgeError EDGE_MONITORING_PORT */
  async start(): Promise<void> {
    const server = createRouteServer({
      'GET /health': () => health(this.#status()),
      'GET /metrics': async () => prometheusText(this.#metrics, this.#status()),
      ...this.#routes,
    });
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

  get isListening(): boolean {
    return this.#server !== undefined;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) await closeRouteServer(server);
  }
}

/** 200 while nothing keeps the agent from its job, else 503 with what does. */
function health({ conditions }: AgentStatus) {
  const healthy = conditions.length === 0;
  return {
    status: healthy ? 200 : 503,
    body: { healthy, conditions: conditions.map(({ code, name, since, fix }) => ({ code, name, since, fix })) },
  };
}
