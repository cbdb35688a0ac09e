import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../../util/Clock.ts';
import { EdgeError } from '../../util/EdgeError.ts';
import { http } from '../../util/http.ts';
import { withoutSecret } from '../../util/withoutSecret.ts';
import { networkFailure } from './networkFailure.ts';
import { shownProxy } from './proxyFor.ts';

/** From the lookup of the proxy to its answer, ms; as for the handshake of the WebSocket. */
const CONNECT_LIMIT_MS = 10_000;
/** How much of the reason in the status line is shown, characters. */
const MAX_REASON = 100;

export interface TunnelOptions {
  proxy: URL;
  /** host:port of the backend. */
  authority: string;
  /** Of the connection to the proxy: whom to trust, how addresses are tried. */
  connection: ConnectionOptions;
  clock: Clock;
  /** Ends the attempt. */
  signal: AbortSignal;
}

/**
 * A connection through an HTTP proxy (RFC 9110, 9.3.6). What goes wrong up to the proxy's 2xx is the proxy's: its 403 is
 * not the backend's, and the backend's secret has not been sent.
 *
 * Not https-proxy-agent: it costs 7 MB of memory, hands a refusal of the proxy on as if the backend had answered, and
 * leaves a CONNECT without an answer open when the request is given up.
 * @throws EdgeError EDGE_PROXY_AUTH, EDGE_PROXY_FAILED, EDGE_BACKEND_DNS (the name of the proxy)
 */
export function openTunnel({ proxy, authority, connection, clock, signal }: TunnelOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const host = proxy.hostname.replace(/^\[|\]$/g, '');
    const send = proxy.protocol === 'https:' ? httpsRequest : http.request;
    // Not the URL: Node would make an Authorization header of the user name in it, and choke on a % that is no escape.
    const request = send({
      ...connection,
      host,
      port: proxy.port || null, // that of the scheme
      method: 'CONNECT',
      path: authority,
      headers: { Host: authority, ...credentials(proxy) },
      servername: isIP(host) ? '' : host, // Node would take that of the Host header, which is the backend's
      agent: false,
      signal,
    });
    const limit = clock.after(CONNECT_LIMIT_MS, () =>
      request.destroy(new Error(`no answer to CONNECT within ${CONNECT_LIMIT_MS / 1000} s`)),
    );
    request.on('connect', (response, socket, head) => {
      limit.cancel();
      if (Math.trunc((response.statusCode ?? 0) / 100) === 2) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket as Socket);
        return;
      }
      socket.destroy();
      reject(refusal(proxy, authority, response));
    });
    request.on('error', (error) => {
      limit.cancel();
      reject(failure(proxy, error));
    });
    request.end();
  });
}

function credentials(proxy: URL): { 'Proxy-Authorization'?: string } {
  const { user, password } = login(proxy);
  if (!user && !password) return {};
  return { 'Proxy-Authorization': `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

function login({ username, password }: URL): { user: string; password: string } {
  return { user: decoded(username), password: decoded(password) };
}

/** A % that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refusal(proxy: URL, authority: string, { statusCode, statusMessage = '' }: IncomingMessage): EdgeError {
  // The reason may repeat what was sent.
  const { user, password } = login(proxy);
  const reason = withoutSecret(withoutSecret(statusMessage, password), user).slice(0, MAX_REASON);
  const status = `${statusCode} ${reason}`.trim();
  const text = `the proxy ${shownProxy(proxy)} answered CONNECT ${authority} with ${status}`;
  return new EdgeError(statusCode === 407 ? 'EDGE_PROXY_AUTH' : 'EDGE_PROXY_FAILED', text);
}

function failure(proxy: URL, cause: Error): EdgeError {
  const { code, detail } = networkFailure(cause);
  const isName = code === 'EDGE_BACKEND_DNS';
  return new EdgeError(isName ? code : 'EDGE_PROXY_FAILED', `the proxy ${shownProxy(proxy)}: ${detail}`, { cause });
}
