import { createServer, type ServerOptions } from 'node:https';
import { WebSocketServer } from 'ws';
import type { KeyPair } from '../../support/certificates.ts';
import { listen } from '../httpServer.ts';

/** An HTTPS backend that takes every message and every socket, and notes what it read. */
export async function tlsBackend(pair: KeyPair, options: ServerOptions = {}) {
  const received: string[] = [];
  const server = createServer({ ...options, ...pair }, (request, response) => {
    received.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.end('{"should_respond":false}'));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.ping()); // a first frame proves the peer
  server.on('upgrade', (request) => received.push(`UPGRADE ${request.url?.split('?')[0]}`));
  const port = await listen(server);
  const at = (host: string) => ({ url: `https://${host}:${port}`, socketUrl: `wss://${host}:${port}/edge/ws` });
  return { ...at('127.0.0.1'), at, port, received, server, sockets };
}
