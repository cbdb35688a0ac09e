import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { monotonicMs } from './monotonicMs.ts';

/** A backend that answers nothing and remembers when each message was whole: what the benchmark measures against. */
export class RecordingBackend {
  /** message_guid → arrival, ms on the monotonic clock that all processes of this machine share. */
  readonly arrivals = new Map<string, number>();
  /** Guids in order of arrival, with their thread. */
  readonly order: { guid: string; thread: string }[] = [];
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #server: Server;
  #socket: WebSocket | undefined;
  onArrival: (guid: string) => void = () => {};

  constructor() {
    this.#server = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const at = monotonicMs();
        res.setHeader('content-type', 'application/json');
        if (req.url === '/edge/message') {
          const body = JSON.parse(Buffer.concat(chunks).toString()) as { message_guid: string; thread_id: string };
          if (!this.arrivals.has(body.message_guid)) {
            this.arrivals.set(body.message_guid, at);
            this.order.push({ guid: body.message_guid, thread: body.thread_id });
          }
          res.end('{"should_respond":false}');
          this.onArrival(body.message_guid);
        } else {
          res.end('{"commands":[],"ack_events":[],"acknowledged":true}');
        }
      });
    });
    this.#server.keepAliveTimeout = 120_000;
    this.#server.on('upgrade', (req, socket, head) => {
      this.#sockets.handleUpgrade(req, socket, head, (ws) => {
        this.#socket = ws;
        ws.on('message', (data) => {
          if (data.toString().includes('"ping"')) ws.send('{"type":"pong"}');
        });
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get isConnected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends a frame and returns when, ms on the shared monotonic clock. */
  push(frame: unknown): number {
    const text = JSON.stringify(frame);
    const at = monotonicMs();
    this.#socket!.send(text);
    return at;
  }

  async stop(): Promise<void> {
    this.#socket?.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
