import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import { http } from '../util/http.ts';

/** Largest request body, bytes: the longest text that is split, as JSON of whatever script. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** A local program that takes longer to say what it wants is broken, ms. */
const REQUEST_TIMEOUT_MS = 5_000;
/** How often it is looked for those, ms; Node looks every 30 s, for which a few that say nothing keep all others out. */
const CHECK_MS = 1_000;
/** A person, a monitor, a script and a few tabs of the status page at once; more is a mistake. */
const MAX_CONNECTIONS = 32;
/** A client of a stream that is so far behind is asleep, bytes; it comes back by itself. */
const MAX_BEHIND_BYTES = 1024 * 1024;

export interface RouteRequest {
  /** The parsed JSON body; undefined without one. */
  readonly body: unknown;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** The client of a stream. */
export interface StreamClient {
  /** Cuts the connection where the client does not keep up. */
  write(text: string): void;
  /** Called once, when the connection is closed. */
  onClose(listener: () => void): void;
}

export interface RouteReply {
  /** @default 200 */
  readonly status?: number;
  /** An object is sent as JSON, a string and bytes as they are; a function writes as long as the connection lasts. */
  readonly body: object | string | Buffer | ((client: StreamClient) => void);
  /** @default application/json for an object, text/plain for a string */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Handlers by method and path, e.g. `GET /status`. What they throw becomes an error reply. */
export type Routes = Readonly<Record<string, (request: RouteRequest) => RouteReply | Promise<RouteReply>>>;

/** What an error reply says. */
export interface ErrorReply {
  readonly error: { readonly code: string; readonly message: string; readonly fix?: string };
}

/** An HTTP server for programs of this machine. */
export function createRouteServer(routes: Routes): Server {
  const server = http.createServer({ connectionsCheckingInterval: CHECK_MS }, (request, response) => {
    answer(routes, request).then(
      (reply) => send(response, reply),
      (error: unknown) => send(response, errorReply(error)),
    );
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = 1; // one request a connection: nothing stays open to hold up a stop
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/** Stops listening and cuts what is open. */
export async function closeRouteServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

async function answer(routes: Routes, request: IncomingMessage): Promise<RouteReply> {
  const url = URL.parse(request.url ?? '', 'http://localhost');
  // Node leaves the body of the answer to HEAD out. Where a GET changes something, HEAD has a route of its own.
  const methods = request.method === 'HEAD' ? ['HEAD', 'GET'] : [request.method];
  const handler = methods.flatMap((method) => (url && routes[`${method} ${url.pathname}`]) || [])[0];
  if (!url || !handler) return failed(404, 'NOT_FOUND', `there is no ${request.method} ${url?.pathname ?? ''}`);
  const text = await readBody(request);
  if (text === undefined) return failed(413, 'TOO_LARGE', `the body is larger than ${MAX_BODY_BYTES} bytes`);
  let body: unknown;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch (error) {
    return failed(400, 'NOT_JSON', `the body is not JSON: ${messageOf(error)}`);
  }
  return handler({ body, query: url.searchParams, headers: request.headers });
}

/** Undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status = 200, body, contentType, headers }: RouteReply): void {
  const isText = typeof body === 'string';
  response.writeHead(status, {
    'content-type': contentType ?? (isText ? 'text/plain; charset=utf-8' : 'application/json'),
    connection: 'close',
    ...headers,
  });
  if (typeof body === 'function') body(streamClient(response));
  else response.end(isText || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

function streamClient(response: ServerResponse): StreamClient {
  return {
    write(text) {
      response.write(text);
      if (response.writableLength > MAX_BEHIND_BYTES) response.destroy();
    },
    onClose: (listener) => response.once('close', listener),
  };
}

export function failed(status: number, code: string, message: string, fix?: string): RouteReply {
  const reply: ErrorReply = { error: { code, message, ...(fix === undefined ? {} : { fix }) } };
  return { status, body: reply };
}

function errorReply(error: unknown): RouteReply {
  if (error instanceof EdgeError)
    return failed(error.retry === 'never' ? 400 : 503, error.code, error.message, error.fix);
  return failed(500, 'EDGE_INTERNAL', messageOf(error));
}
