import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { MAX_BODY_BYTES } from '../protocol/wire.ts';
import type { Clock } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import { KEPT_BODY_CHARACTERS } from './BackendError.ts';
import type { Ending } from './connectionPolicy.ts';
import { networkFailure } from './network/networkFailure.ts';
import { parseRetryAfter } from './retryAfter.ts';

/** From the first lookup to the open socket, or the refusal read to its end, ms. The protocol fixes it. */
const CONNECT_LIMIT_MS = 10_000;
/** How much of a refusal's body is read, characters: more than is kept, so that an echoed secret is whole and found. */
const READ_BODY_CHARACTERS = 16 * KEPT_BODY_CHARACTERS;
/** How long a polite close waits for the peer, ms; ws waits 30 s by default, and a stop must end within 2 s. */
const CLOSE_LIMIT_MS = 1000;

export type SocketOptions = ClientOptions & { closeTimeout: number };
export type SocketFactory = (url: string, options: SocketOptions) => WebSocket;

export interface DialFailure {
  message: string;
  ending: Ending;
  /** What was thrown, where no answer came; undefined for a refusal. */
  error?: unknown;
  /** The start of a refusal's body; it may hold the secret. */
  body: string;
  retryAfterMs: number | undefined;
}

export interface DialOptions {
  url: string;
  headers: Record<string, string>;
  clock: Clock;
  /** Proxy, authorities and pins. */
  network: ClientOptions;
  createSocket: SocketFactory | undefined;
  /** Called at most once, and not together with onFailed; no frame is read before it returns. */
  onOpen(socket: WebSocket): void;
  onFailed(failure: DialFailure): void;
}

/**
 * One attempt at a connection. Returns the socket, so that it can be closed whatever its state, and `cancel`, after which
 * neither callback is called. May throw what the factory throws.
 *
 * A refusal is seen only through 'unexpected-response', and whoever listens to it has to end the request: ws then emits
 * neither 'error' nor 'close' by itself.
 */
export function dial(o: DialOptions): { socket: WebSocket; cancel(): void } {
  const create = o.createSocket ?? ((url: string, options: SocketOptions) => new WebSocket(url, options));
  const socket = create(o.url, {
    ...o.network,
    headers: o.headers,
    perMessageDeflate: false,
    // A turn of the event loop for each frame: libuv reads up to 2 MiB in one, and 500,000 bad frames take seconds.
    allowSynchronousEvents: false,
    maxPayload: MAX_BODY_BYTES,
    closeTimeout: CLOSE_LIMIT_MS,
  });
  // Ours and not ws's handshakeTimeout, which a server that drips bytes pushes back for ever.
  const limit = o.clock.after(CONNECT_LIMIT_MS, () => {
    if (refusal) return refused(refusal);
    broken(Object.assign(new Error(`no connection within ${CONNECT_LIMIT_MS / 1000} s`), { code: 'ETIMEDOUT' }));
  });
  let refusal: IncomingMessage | undefined;
  let body = '';

  const cancel = () => {
    limit.cancel();
    refusal?.removeAllListeners().on('error', ignore);
    socket.removeAllListeners().on('error', ignore);
  };
  const failed = (failure: Omit<DialFailure, 'body'>) => {
    cancel();
    socket.terminate();
    o.onFailed({ ...failure, body });
  };
  const broken = (error: NodeJS.ErrnoException) => {
    const message = messageOf(error) || networkFailure(error).detail; // an error for several addresses has no text
    failed({ message, ending: { kind: 'error', code: error.code }, error, retryAfterMs: undefined });
  };
  const refused = (response: IncomingMessage) => {
    const status = response.statusCode ?? 0;
    const retryAfterMs = parseRetryAfter(response.headers['retry-after'], o.clock.now());
    failed({ message: `Unexpected server response: ${status}`, ending: { kind: 'status', status }, retryAfterMs });
  };

  socket.on('open', () => {
    cancel();
    o.onOpen(socket);
  });
  socket.on('error', broken);
  socket.on('unexpected-response', (_request, response) => {
    refusal = response;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      body += chunk;
      if (body.length >= READ_BODY_CHARACTERS) refused(response);
    });
    response.on('end', () => refused(response));
    response.on('error', () => refused(response));
  });
  return { socket, cancel };
}

const ignore = () => {};
