import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { KeyPair } from './certificates.ts';

export interface ConnectProxyOptions {
  /** Answers a CONNECT itself; true: it did. */
  refuse?(request: IncomingMessage, socket: Duplex): boolean;
  /** The proxy speaks TLS. */
  pair?: KeyPair;
  /** @default one that is free */
  port?: number;
}

/** An HTTP proxy that connects wherever it is asked to, always on 127.0.0.1. */
export async function connectProxy({ refuse, pair, port: wanted = 0 }: ConnectProxyOptions = {}) {
  const connects: IncomingMessage[] = [];
  const others: string[] = [];
  const sockets = new Set<Duplex>();
  const server: Server = pair ? createHttpsServer(pair) : createServer();
  server.on('request', (request, response) => {
    others.push(`${request.method} ${request.url}`);
    response.end();
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    connects.push(request);
    socket.on('error', () => {});
    if (refuse?.(request, socket)) {
      socket.on('end', () => socket.destroy()).resume();
      return;
    }
    const port = Number(request.url!.split(':').at(-1));
    const target = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    sockets.add(target);
    target.on('error', () => socket.destroy());
    target.on('close', () => socket.destroy());
    socket.on('close', () => target.destroy());
  });
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(close);
  const { port } = server.address() as { port: number };
  return { url: `${pair ? 'https' : 'http'}://127.0.0.1:${port}`, port, connects, others, sockets, close };
}
