import { lookup } from 'node:dns/promises';
import { request as httpsRequest } from 'node:https';
import { connect, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Network } from '../network/Network.ts';
import type { Found } from './Step.ts';

/** A certificate that ends sooner is worth a word, ms. */
const EXPIRES_SOON_MS = 14 * 24 * 3_600_000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'ws:': 80, 'https:': 443, 'wss:': 443 };

export interface Endpoint {
  host: string;
  port: number;
}

/** Where a URL leads; IPv6 without its brackets. */
export function endpointOf({ hostname, port, protocol }: URL): Endpoint {
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (DEFAULT_PORTS[protocol] ?? 443) : Number(port),
  };
}

/** @throws what the resolver says */
export async function resolveName({ host }: Endpoint): Promise<Found> {
  if (isIP(host)) return { status: 'pass', text: `${host} is an address` };
  const addresses = await lookup(host, { all: true });
  return { status: 'pass', text: `${host} is ${addresses.map(({ address }) => address).join(', ')}` };
}

/** @throws what the system says */
export function connectTcp({ host, port }: Endpoint, signal: AbortSignal): Promise<Found> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, autoSelectFamily: true });
    const end = () => socket.destroy();
    signal.addEventListener('abort', end, { once: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      resolve({ status: 'pass', text: `a connection to ${socket.remoteAddress} port ${port} was accepted` });
      end();
    });
  });
}

/**
 * Shakes hands as every request does: through the proxy, with the same authorities and pins. Asks for nothing but the
 * page it breaks off, without the secret.
 * @throws what the connection says
 */
export function shakeHands(url: URL, network: Network, o: { signal: AbortSignal; now: number }): Promise<Found> {
  const agent = network.httpAgent(url, { keepAlive: false });
  return new Promise<Found>((resolve, reject) => {
    const request = httpsRequest(url, { agent, method: 'HEAD', signal: o.signal });
    request.on('error', reject);
    request.on('socket', (socket) => {
      const tls = socket as TLSSocket & { secureConnecting?: boolean };
      const done = () => {
        resolve(certificateOf(tls, o.now));
        request.destroy();
      };
      if (tls.secureConnecting === false) done();
      else tls.once('secureConnect', done);
    });
    request.end();
  }).finally(() => agent.destroy());
}

function certificateOf(socket: TLSSocket, now: number): Found {
  const { subject, issuer, valid_to } = socket.getPeerCertificate();
  // A session that was resumed shows no certificate.
  if (!subject) return { status: 'pass', text: `${socket.getProtocol()}` };
  const issued = [issuer.O, issuer.CN].filter(Boolean).join(' ');
  const text = `${socket.getProtocol()}; the certificate of ${subject.CN ?? 'no name'} by ${issued} is valid until ${valid_to}`;
  if (Date.parse(valid_to) - now > EXPIRES_SOON_MS) return { status: 'pass', text };
  return { status: 'warn', text, fix: 'Have the certificate renewed before it expires.' };
}
