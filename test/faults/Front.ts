import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** What goes on instead of a frame: nothing, the same, or several. */
export type Mangle = (frame: string) => readonly string[];

/**
 * What becomes of a handshake: refused, taken by the test with ws or with the bare socket, or passed on to the hub with
 * the frames mangled on their way; `joined` gets both ends.
 */
export type Upgrade =
  | Answer
  | { take(socket: WebSocket): void }
  | { up?: Mangle; down?: Mangle; joined?(agent: WebSocket, hub: WebSocket): void }
  | { raw(socket: Duplex, request: IncomingMessage): void };

/** What becomes of a request: answered here, never answered, or taken by the hub whose answer is lost. */
export type Fate = Answer | 'hangs' | 'unsaid';

/** Stands between the cables and the hub, and is the backend where a test says so. */
export class Front {
  /** The port of the hub. */
  target = 0;
  /** Undefined: the hub's to decide. `nth` counts handshakes from 1. */
  upgrade: (request: IncomingMessage, nth: number) => Upgrade | undefined = () => undefined;
  request: (request: IncomingMessage) => Fate | undefined = () => undefined;
  /** When each handshake came, ms on the monotonic clock. */
  readonly handshakes: number[] = [];
  /** Each request that came, as `METHOD path`. */
  readonly requests: string[] = [];
  /** Each answer of the hub that was passed on, as `METHOD path status`. */
  readonly answers: string[] = [];
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #open = new Set<Duplex>();
  #server: Server | undefined;

  async start(): Promise<void> {
    const server = createServer((incoming, response) => this.#take(incoming, response));
    server.on('upgrade', (incoming, socket, head) => this.#upgrade(incoming, socket, head));
    server.on('connection', (socket) => this.#keep(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
  }

  get port(): number {
    return (this.#server!.address() as AddressInfo).port;
  }

  /** Every request and handshake is the hub's again. */
  standAside(): void {
    this.upgrade = () => undefined;
    this.request = () => undefined;
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server?.closeAllConnections();
    if (this.#server) await new Promise((resolve) => this.#server!.close(resolve));
  }

  #take(incoming: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${incoming.method} ${incoming.url}`);
    const fate = this.request(incoming);
    if (fate === 'hangs') incoming.resume();
    else if (fate === undefined || fate === 'unsaid') this.#pass(incoming, response, fate === 'unsaid');
    else {
      incoming.resume();
      incoming.on('end', () => response.writeHead(fate.status, fate.headers).end(fate.body ?? '{}'));
    }
  }

  #pass(incoming: IncomingMessage, response: ServerResponse, isUnsaid: boolean): void {
    const { expect: _, ...headers } = incoming.headers;
    const options = { port: this.target, host: '127.0.0.1', path: incoming.url!, method: incoming.method!, headers };
    const outgoing = request(options, (said) => {
      if (isUnsaid) {
        said.resume();
        said.on('end', () => response.destroy());
        return;
      }
      response.on('finish', () => this.answers.push(`${incoming.method} ${incoming.url} ${said.statusCode}`));
      response.writeHead(said.statusCode!, said.headers);
      said.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.on('error', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }

  #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.handshakes.push(performance.now());
    const what = this.upgrade(incoming, this.handshakes.length);
    if (what === undefined) this.#tunnel(incoming, socket, head);
    else if ('raw' in what) what.raw(socket, incoming);
    else if ('status' in what) void this.#refuse(socket, what);
    else
      this.#sockets.handleUpgrade(incoming, socket, head, (agent) => {
        agent.on('error', () => {}); // the agent breaks connections off as well
        if ('take' in what) what.take(agent);
        else this.#join(agent, incoming, what);
      });
  }

  #join(
    agent: WebSocket,
    { url, headers }: IncomingMessage,
    { up = same, down = same, joined }: { up?: Mangle; down?: Mangle; joined?(agent: WebSocket, hub: WebSocket): void },
  ): void {
    const passed = {
      authorization: String(headers.authorization),
      'x-edge-agent-id': String(headers['x-edge-agent-id']),
    };
    const hub = new WebSocket(`ws://127.0.0.1:${this.target}${url}`, { headers: passed, perMessageDeflate: false });
    const early: string[] = [];
    hub.on('error', () => agent.terminate());
    hub.on('open', () => {
      for (const frame of early) hub.send(frame);
      joined?.(agent, hub);
    });
    agent.on('message', (data) => {
      for (const frame of up(String(data))) hub.readyState === hub.OPEN ? hub.send(frame) : early.push(frame);
    });
    hub.on('message', (data) => {
      for (const frame of down(String(data))) agent.send(frame);
    });
    hub.on('close', () => agent.terminate());
    agent.on('close', () => hub.terminate());
  }

  async #refuse(socket: Duplex, { status, headers, body = '' }: Answer): Promise<void> {
    const all = { connection: 'close', 'content-length': String(Buffer.byteLength(body)), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} Told\r\n${lines.join('')}\r\n`);
    socket.end(body);
    await once(socket, 'finish');
  }

  /** The handshake as it came, and from there on bytes. */
  #tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const hub = connect(this.target, '127.0.0.1');
    this.#keep(hub);
    const { rawHeaders } = incoming;
    let text = `${incoming.method} ${incoming.url} HTTP/1.1\r\n`;
    for (let at = 0; at < rawHeaders.length; at += 2) text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
    hub.write(`${text}\r\n`);
    hub.write(head);
    hub.pipe(socket).pipe(hub);
    hub.once('close', () => socket.destroy());
    socket.once('close', () => hub.destroy());
  }

  #keep(socket: Duplex): void {
    this.#open.add(socket);
    socket.on('error', () => {}); // tells itself by 'close'
    socket.on('close', () => this.#open.delete(socket));
  }
}

const same: Mangle = (frame) => [frame];
