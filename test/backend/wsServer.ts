import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Network } from '../../src/backend/network/Network.ts';
import { WebSocketClient, type WebSocketClientOptions } from '../../src/backend/WebSocketClient.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT_ID, listen, SECRET } from './httpServer.ts';

/** A WebSocket endpoint; `onUpgrade`, if given, answers the handshake by itself. */
export async function wsBackend(
  onUpgrade?: (request: IncomingMessage, socket: Duplex) => void,
  { isMute = false } = {},
) {
  const sockets: WebSocket[] = [];
  const requests: IncomingMessage[] = [];
  const frames: unknown[] = [];
  const closes: number[] = [];
  const server = createServer();
  const upgrader = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    requests.push(request);
    socket.on('error', () => {});
    if (onUpgrade) {
      socket.on('end', () => socket.destroy()).resume();
      onUpgrade(request, socket);
      return;
    }
    upgrader.handleUpgrade(request, socket, head, (ws) => {
      ws.on('message', (data) => frames.push(JSON.parse(data.toString())));
      ws.on('close', (code) => closes.push(code));
      ws.on('error', () => {});
      sockets.push(ws);
      if (!isMute) ws.ping(); // a first frame, or the agent takes it for a proxy with nothing behind it
    });
  });
  const port = await listen(server);
  return { url: `ws://127.0.0.1:${port}/edge/ws`, sockets, requests, frames, closes, server };
}

export function wsClient(url: string, overrides: Partial<WebSocketClientOptions> = {}) {
  const clock = new FakeClock();
  const { telemetry, calls } = recordingTelemetry();
  const heard: unknown[] = [];
  let refreshes = 0;
  const client = new WebSocketClient({
    url,
    agentId: AGENT_ID,
    secret: () => SECRET,
    refreshSecret: () => {
      refreshes += 1;
    },
    pingIntervalSeconds: 30,
    network: new Network({ telemetry }),
    clock,
    random: () => 0,
    telemetry,
    onUp: () => heard.push('up'),
    onDown: () => heard.push('down'),
    onCommand: (raw) => heard.push({ command: raw }),
    onConfigUpdate: (raw) => heard.push({ config: raw }),
    onPong: () => heard.push('pong'),
    onLargeFrames: (areComing) => heard.push({ largeFrames: areComing }),
    ...overrides,
  });
  onTestFinished(() => client.stop());
  const events = () => calls.map(({ event }) => event as string);
  const argsOf = (event: string) => calls.filter((call) => call.event === event).map(({ args }) => args);
  return {
    client,
    clock,
    calls,
    events,
    argsOf,
    heard,
    refreshes: () => refreshes,
    /** The delay of the nth wait (from 1), as soon as it has begun. */
    retryIn: async (n: number) => {
      await waitFor(`wait number ${n}`, () => argsOf('websocketRetryIn').length >= n);
      return argsOf('websocketRetryIn')[n - 1]![0];
    },
    up: () => waitFor('the socket to be up', () => client.isUp),
  };
}
