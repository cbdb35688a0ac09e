import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { diagnose } from '../../../src/backend/diagnosis/diagnose.ts';
import type { StepName, StepResult } from '../../../src/backend/diagnosis/Step.ts';
import type { WalkOptions } from '../../../src/backend/diagnosis/Walk.ts';
import { Network } from '../../../src/backend/network/Network.ts';
import { systemClock } from '../../../src/util/Clock.ts';
import type { KeyPair } from '../../support/certificates.ts';
import { AGENT_ID, listen, SECRET } from '../httpServer.ts';

export interface Faults {
  /** Answers GET /health. @default 200 */
  health?(response: ServerResponse): void;
  /** Answers POST /edge/sync. @default 200 without commands */
  sync?(response: ServerResponse, request: IncomingMessage, body: string): void;
  /** Answers the handshake in place of 101. */
  upgrade?(socket: Duplex, request: IncomingMessage): void;
  /** Has the socket. @default answers pings */
  socket?(ws: WebSocket): void;
}

/** A backend with one fault; with a key pair it speaks TLS. */
export async function faultyBackend(faults: Faults = {}, pair?: KeyPair) {
  const requests: IncomingMessage[] = [];
  const upgrades: IncomingMessage[] = [];
  const listener: RequestListener = async (request, response) => {
    requests.push(request);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answerJson = (body: unknown) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (request.url === '/edge/sync') {
      if (faults.sync) faults.sync(response, request, Buffer.concat(chunks).toString());
      else answerJson({ commands: [], ack_events: [] });
    } else if (faults.health) faults.health(response);
    else answerJson({ status: 'ok' });
  };
  const server = pair ? createHttpsServer(pair, listener) : createServer(listener);
  const upgrader = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    upgrades.push(request);
    socket.on('error', () => {});
    if (faults.upgrade) return faults.upgrade(socket, request);
    upgrader.handleUpgrade(request, socket, head, faults.socket ?? answerPings);
  });
  const port = await listen(server);
  return { url: `${pair ? 'https' : 'http'}://127.0.0.1:${port}`, requests, upgrades };
}

export function answerPings(ws: WebSocket): void {
  ws.on('message', () => ws.send('{"type":"pong"}'));
}

/** Refuses a handshake with a whole answer. */
export function refuse(socket: Duplex, status: number, headers: Record<string, string> = {}, body = ''): void {
  const lines = Object.entries({ ...headers, 'Content-Length': String(Buffer.byteLength(body)) });
  socket.end(`HTTP/1.1 ${status} X\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
}

/** Walks to a backend; `of` gives the last step of a name. */
export async function walk(url: string, overrides: Partial<WalkOptions> = {}) {
  const steps = await diagnose({
    agentId: AGENT_ID,
    secret: SECRET,
    secretProblem: undefined,
    baseUrl: url,
    websocketUrl: `${url.replace('http', 'ws')}/edge/ws`,
    network: new Network({}),
    clock: systemClock,
    syncBody: {
      edge_agent_id: AGENT_ID,
      last_command_id: 'c-7',
      pending_events: [],
      status: { scheduled_messages: 2, active_rules: 0, uptime_seconds: 9 },
    },
    agent: undefined,
    caFileProblem: () => undefined,
    mask: (text) => text,
    ...overrides,
  });
  const of = (name: StepName): StepResult => steps.findLast(({ step }) => step === name)!;
  return { steps, of, statuses: steps.map(({ step, status }) => `${step} ${status}`) };
}
