import type { Agent as HttpAgent, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { type Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../util/Clock.ts';
import { http } from '../util/http.ts';

/**
 * How long the body of a request on a fresh connection waits for `100 Continue`, ms. RFC 9110, 10.1.1 allows a client
 * to go on without one; the figure is a round trip to anywhere.
 */
const CONTINUE_PATIENCE_MS = 300;

export interface HttpExchange {
  url: URL;
  agent: HttpAgent | HttpsAgent;
  /** Complete but for `Expect`. */
  headers: OutgoingHttpHeaders;
  /** Opened anew when the request is repeated. */
  body: Buffer | (() => Readable);
  /** Ends the exchange wherever it is; its reason becomes the error. */
  signal: AbortSignal;
  /** Largest answer that is read. */
  maxBodyBytes: number;
  clock: Clock;
  /** The whole body was handed to the kernel; called once at most, even if the request is repeated. */
  onWrittenOut(): void;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  /** The body up to maxBodyBytes; of a refusal that broke off, what came. */
  body: Buffer;
  /** Why the body must not be trusted as an answer, or undefined. */
  flaw: string | undefined;
}

type Attempt = HttpAnswer | 'stale' | 'expectation-failed';

/** Connections that have carried a whole answer: they were accepted, and the server may close them at any time. */
const proven = new WeakSet<Socket>();

/**
 * One POST and its answer; a redirect is an answer like any other. Rejects with the socket's error or the signal's
 * reason. Two requests are repeated at once, which the idempotency key makes safe: one that met a kept-alive connection
 * just as the server closed it, and one whose `Expect` was refused (417).
 *
 * The first request on a plain connection asks `Expect: 100-continue`: a new connection may wait in the server's accept
 * queue while a later message on an established one is read, and the messages of a thread would change places. With TLS
 * the handshake proves that the connection was accepted.
 */
export async function exchange(o: HttpExchange): Promise<HttpAnswer> {
  let writtenOut = false;
  const once: HttpExchange = {
    ...o,
    onWrittenOut() {
      if (!writtenOut && !o.signal.aborted) o.onWrittenOut();
      writtenOut = true;
    },
  };
  let repeatIfStale = true;
  let expect = o.url.protocol === 'http:';
  for (;;) {
    const outcome = await attempt(once, { expect, repeatIfStale });
    if (outcome === 'stale') {
      repeatIfStale = false;
      closeIdle(o.agent); // they are as old as the one that was closed
    } else if (outcome === 'expectation-failed') expect = false;
    else return outcome;
  }
}

function attempt(o: HttpExchange, { expect, repeatIfStale }: { expect: boolean; repeatIfStale: boolean }) {
  return new Promise<Attempt>((resolve, reject) => {
    if (o.signal.aborted) return reject(o.signal.reason);
    const send = o.url.protocol === 'https:' ? httpsRequest : http.request;
    const request = send(o.url, { method: 'POST', agent: o.agent, headers: o.headers });
    let connection: Socket | undefined;
    let reused = false;
    let response: IncomingMessage | undefined;
    let patience: Timer | undefined;
    let streamed: Readable | undefined;
    const chunks: Buffer[] = [];
    let size = 0;

    const finish = () => {
      patience?.cancel();
      streamed?.destroy();
      o.signal.removeEventListener('abort', onAbort);
      if (!response?.complete || !request.writableFinished) request.destroy();
    };
    const answer = (flaw?: string) => {
      finish();
      const { statusCode = 0, headers } = response!;
      if (statusCode === 417 && request.hasHeader('expect')) return resolve('expectation-failed');
      if (isSuccess(response!) && !request.writableFinished) {
        return reject(new Error(`answered ${statusCode} before the request was written out`));
      }
      resolve({ status: statusCode, headers, body: Buffer.concat(chunks), flaw });
    };
    const fail = (error: Error) => {
      // A refusal stands even when its body breaks off; an answer needs all of it.
      if (response && !isSuccess(response)) return answer('it broke off');
      finish();
      if (repeatIfStale && reused && !response && isReset(error)) return resolve('stale');
      reject(error);
    };
    const onAbort = () => fail(o.signal.reason);
    const sendBody = () => {
      patience?.cancel();
      if (request.writableEnded || streamed || response || o.signal.aborted) return;
      if (Buffer.isBuffer(o.body)) {
        request.end(o.body);
        return;
      }
      streamed = o.body().on('error', fail);
      streamed.pipe(request);
    };

    o.signal.addEventListener('abort', onAbort, { once: true });
    request.on('error', fail);
    request.on('finish', o.onWrittenOut);
    request.on('socket', (socket) => {
      connection = socket;
      reused = proven.has(socket);
      if (!expect || reused) return sendBody();
      request.setHeader('Expect', '100-continue');
      request.flushHeaders();
      request.once('continue', sendBody);
      const wait = () => {
        patience = o.clock.after(CONTINUE_PATIENCE_MS, sendBody);
      };
      if (socket.connecting) socket.once('connect', wait);
      else wait();
    });
    // Without a listener Node closes the connection and says nothing, neither here nor through 'error'.
    request.on('upgrade', (_switched, socket) => {
      socket.destroy();
      fail(new Error('answered 101: it switched to a protocol that was not asked for'));
    });
    request.on('response', (incoming) => {
      response = incoming;
      const encoding = incoming.headers['content-encoding'] ?? 'identity';
      if (encoding !== 'identity') return answer(`it is encoded as ${encoding}`);
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > o.maxBodyBytes) answer(`it is larger than ${o.maxBodyBytes} bytes`);
        else chunks.push(chunk);
      });
      incoming.on('error', fail);
      incoming.on('end', () => {
        if (connection) proven.add(connection); // incoming.socket is null by now
        answer();
      });
    });
  });
}

const isSuccess = (response: IncomingMessage) => Math.trunc((response.statusCode ?? 0) / 100) === 2;

const isReset = (error: NodeJS.ErrnoException) => error.code === 'ECONNRESET' || error.code === 'EPIPE';

function closeIdle(agent: HttpAgent | HttpsAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
