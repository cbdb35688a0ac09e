import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { BackendClient, type BackendClientOptions } from '../../src/backend/BackendClient.ts';
import type { LinkSettings } from '../../src/backend/Link.ts';
import { Network } from '../../src/backend/network/Network.ts';
import type { MessageRequest } from '../../src/protocol/wire.ts';
import { FakeClock } from '../support/FakeClock.ts';

export const SECRET = 'canary-5f0c2e9a';
export const AGENT_ID = 'edge_15550100001';

/** Of a link to a backend on this machine, with the defaults of the configuration. */
export function linkSettingsFor(port: number): LinkSettings {
  return {
    agentId: AGENT_ID,
    baseUrl: `http://127.0.0.1:${port}`,
    websocketUrl: `ws://127.0.0.1:${port}/edge/ws`,
    isSocketEnabled: true,
    pingIntervalSeconds: 30,
    syncIntervalSeconds: 30,
    requestTimeoutSeconds: 60,
    maxConcurrentRequests: 4,
    network: {},
  };
}

export interface Received {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Listens on a free port of 127.0.0.1 until the test is over; returns the port. */
export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** An HTTP server that reads each request to its end, notes it and then lets `answer` respond. */
export async function httpBackend(answer: (...args: Parameters<RequestListener>) => void) {
  const received: Received[] = [];
  const connections: Socket[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    answer(request, response);
  });
  server.on('connection', (socket: Socket) => connections.push(socket));
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, received, connections, server };
}

/** A TCP server that hands each connection, with all it has read so far, to `onData`. */
export async function rawBackend(onData: (socket: Socket, text: string, connection: number) => void) {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    const connection = connections;
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
      onData(socket, text, connection);
    });
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}` };
}

export function backendClient(baseUrl: string, overrides: Partial<BackendClientOptions> = {}) {
  const clock = new FakeClock();
  const refreshes: number[] = [];
  const client = new BackendClient({
    baseUrl,
    agentId: AGENT_ID,
    secret: () => SECRET,
    refreshSecret: () => refreshes.push(clock.now()),
    requestTimeoutSeconds: 60,
    maxSockets: 4,
    network: new Network({}),
    clock,
    ...overrides,
  });
  onTestFinished(() => client.close());
  return { client, clock, refreshes };
}

export function message(guid: string): MessageRequest {
  return {
    thread_id: '+15550100002',
    sender: '+15550100002',
    filtered_text: 'hello',
    message_guid: guid,
    original_timestamp: '2026-01-01T00:00:00.000Z',
    is_group: false,
    participants: ['+15550100002'],
    chat_guid: 'iMessage;-;+15550100002',
    service: 'iMessage',
    was_redacted: false,
    redacted_fields: [],
    filter_reason: '',
  };
}

/** postMessage with a signal that never aborts. */
export function post(client: BackendClient, guid: string, onWrittenOut: () => void = () => {}) {
  return client.postMessage(message(guid), { signal: new AbortController().signal, onWrittenOut });
}

/** What a promise rejects with; fails the test if it resolves. */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value)}`);
    },
    (error) => error as Error,
  );
}
