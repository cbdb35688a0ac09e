import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { MAX_BODY_BYTES } from '../../protocol/wire.ts';
import type { Clock } from '../../util/Clock.ts';
import { messageOf } from '../../util/EdgeError.ts';
import { type Credentials, type Refusal, statusOf } from './Credentials.ts';
import type { EdgeSockets } from './EdgeSockets.ts';
import type { EdgeTelemetry } from './EdgeTelemetry.ts';
import { isProbe, type ProbeSockets } from './ProbeSockets.ts';
import type { RateLimits } from './RateLimits.ts';

export const SOCKET_PATH = '/edge/ws';
const CLOSE_UNAUTHORIZED = 4001;
/** A refused peer's time for the closing handshake, ms. */
const CLOSE_MS = 1_000;
/** Asked of agents while sockets are switched off, s. */
const OFF_RETRY_SECONDS = 5;

const STATUS_TEXT: Record<number, string> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/**
 * Who refuses how: `close` accepts the upgrade and closes with 4001 and the reason, which an agent can read; `http`
 * answers 401 or 403. A wrong path is 404 either way.
 */
export type RejectForm = 'close' | 'http';

/** Turns upgrade requests into sockets. */
export class Handshake {
  readonly #credentials: Credentials;
  readonly #sockets: EdgeSockets;
  readonly #probes: ProbeSockets;
  readonly #limits: RateLimits;
  readonly #telemetry: EdgeTelemetry;
  readonly #clock: Clock;
  readonly #rejectForm: RejectForm;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_BODY_BYTES, perMessageDeflate: false });
  /** False: no socket is opened, agents poll. */
  isOpen = true;

  constructor(o: {
    credentials: Credentials;
    sockets: EdgeSockets;
    probes: ProbeSockets;
    limits: RateLimits;
    telemetry: EdgeTelemetry;
    clock: Clock;
    rejectForm: RejectForm;
  }) {
    this.#credentials = o.credentials;
    this.#sockets = o.sockets;
    this.#probes = o.probes;
    this.#limits = o.limits;
    this.#telemetry = o.telemetry;
    this.#clock = o.clock;
    this.#rejectForm = o.rejectForm;
  }

  listen(server: Server): void {
    server.on('upgrade', (request, socket, head) => {
      // Until ws takes the socket over, a reset of it would be an uncaught error.
      const ignore = () => socket.destroy();
      socket.on('error', ignore);
      this.#upgrade(request, socket, head)
        .catch((error) => {
          this.#telemetry.failure('A WebSocket handshake', messageOf(error));
          respond(socket, 500, { error: 'internal error' });
        })
        .finally(() => socket.off('error', ignore));
    });
  }

  /** Cuts every socket that is left, refused ones too. */
  terminate(): void {
    for (const ws of this.#server.clients) ws.terminate();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = URL.parse(request.url ?? '', 'http://hub');
    const path = url?.pathname ?? String(request.url);
    if (!url || path !== SOCKET_PATH) {
      this.#telemetry.upgradeToNowhere(path);
      return respond(socket, 404, { error: `Endpoint not found: ${path.slice(0, 100)}` });
    }
    const queryId = url.searchParams.get('edge_agent_id');
    this.#telemetry.upgradeRequested(path, queryId);
    if (!this.isOpen) return respond(socket, 503, { error: 'WebSocket is switched off' }, OFF_RETRY_SECONDS);
    const address = request.socket.remoteAddress ?? '';
    const verdict = this.#credentials.check(request.headers, queryId);
    const wait = verdict.ok
      ? await this.#limits.take('connects', verdict.agentId)
      : await this.#limits.take('refusals', address);
    if (wait > 0) {
      this.#telemetry.rateLimited('handshakes', verdict.ok ? verdict.agentId : address, wait);
      return respond(socket, 429, { error: 'Too many connections' }, wait);
    }
    if (!verdict.ok) return this.#refuse(verdict.refusal, request, socket, head);
    const sockets = isProbe(request.headers) ? this.#probes : this.#sockets;
    this.#server.handleUpgrade(request, socket, head, (ws) => sockets.attach(verdict.agentId, ws));
  }

  #refuse(refusal: Refusal, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#telemetry.upgradeRefused(refusal);
    if (this.#rejectForm === 'http') {
      respond(socket, statusOf(refusal), { error: refusal });
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => ws.terminate());
      ws.close(CLOSE_UNAUTHORIZED, refusal);
      const timer = this.#clock.after(CLOSE_MS, () => ws.terminate());
      ws.once('close', () => timer.cancel());
    });
  }
}

function respond(socket: Duplex, status: number, body: unknown, retryAfterSeconds?: number): void {
  const json = JSON.stringify(body);
  const retry = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_TEXT[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n${retry}` +
      `Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
  );
}
