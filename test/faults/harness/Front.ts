import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { passes, type Said, type Treatment } from './treatments.ts';

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

/** A request as it came. */
export interface Knock {
  /** On the clock of this process, ms. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly key: string | undefined;
  readonly secret: string | undefined;
  readonly body: string;
  /** How many requests of this path were under way when it came, itself included. */
  readonly atOnce: number;
  /** What was answered; undefined: nothing, or not yet. */
  status: number | undefined;
  /** When its answer was out or its connection gone, on the same clock. */
  endedAt: number | undefined;
}

const HOP_BY_HOP = ['host', 'connection', 'expect', 'transfer-encoding', 'content-length', 'keep-alive'];

/**
 * Stands between the cables and the hub, writes down every request with the bytes that it brought, and does to requests
 * and handshakes what backends, and what stands before them, do.
 */
export class Front {
  /** The port of the hub. */
  target = 0;
  /** Undefined: the hub's to decide. `nth` counts handshakes from 1. */
  upgrade: (request: IncomingMessage, nth: number) => Upgrade | undefined = () => undefined;
  /**
   * Decides over each request once it is read; may be changed at any time. `path` is `/edge/message` (a message, its key the
   * guid), `/edge/sync` (events go up in it, commands come back), `/edge/command/ack`, or that of an upload; the socket's
   * is `upgrade`'s.
   */
  treat: (knock: Knock) => Treatment = () => passes;
  /** How many of those who ask are connected now, idle ones included. */
  connections = 0;
  /** When each handshake came, ms on the monotonic clock. */
  readonly handshakes: number[] = [];
  readonly knocks: Knock[] = [];
  readonly #underWay = new Map<string, number>();
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #open = new Set<Duplex>();
  #server: Server | undefined;

  async start(): Promise<this> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, response) => {
      incoming.on('error', () => {}); // tells itself by the end of the body
      this.#take(incoming, response).catch(() => response.destroy());
    });
    server.on('upgrade', (incoming, socket, head) => this.#upgrade(incoming, socket, head));
    server.on('connection', (socket) => {
      this.connections++;
      socket.once('close', () => this.connections--);
      this.#keep(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return this;
  }

  get port(): number {
    return (this.#server!.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The posts of messages, in the order in which they came. */
  get messages(): readonly Knock[] {
    return this.knocks.filter(({ path }) => path === '/edge/message');
  }

  /** Every attempt at one message. */
  postsOf(guid: string): readonly Knock[] {
    return this.messages.filter(({ key }) => key === guid);
  }

  /** Every request and handshake is the hub's again. */
  standAside(): void {
    this.upgrade = () => undefined;
    this.treat = () => passes;
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server?.closeAllConnections();
    if (this.#server) await new Promise((resolve) => this.#server!.close(resolve));
  }

  async #take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = incoming.url!;
    const atOnce = (this.#underWay.get(path) ?? 0) + 1;
    this.#underWay.set(path, atOnce);
    response.on('close', () => this.#underWay.set(path, this.#underWay.get(path)! - 1));
    const at = performance.now();
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const knock: Knock = {
      at,
      method: incoming.method!,
      path,
      key: incoming.headers['idempotency-key'] as string | undefined,
      secret: incoming.headers.authorization?.replace('Bearer ', ''),
      body: bytes.toString(),
      atOnce,
      status: undefined,
      endedAt: undefined,
    };
    this.knocks.push(knock);
    response.on('close', () => {
      knock.endedAt = performance.now();
    });
    response.on('finish', () => {
      knock.status = response.statusCode;
    });
    await this.treat(knock)(response, () => this.#pass(incoming, bytes));
  }

  /** Hands it to the hub; resolves with what the hub said, whether or not who asked still listens. */
  async #pass(incoming: IncomingMessage, bytes: Buffer): Promise<Said> {
    const options = { port: this.target, host: '127.0.0.1', path: incoming.url!, method: incoming.method! };
    const outgoing = request({ ...options, headers: endToEnd(incoming.headers) });
    outgoing.end(bytes);
    const [said] = (await once(outgoing, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of said) chunks.push(chunk as Buffer);
    return { status: said.statusCode!, headers: endToEnd(said.headers), body: Buffer.concat(chunks) };
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

function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || HOP_BY_HOP.includes(name) ? [] : [[name, value]],
    ),
  );
}

const same: Mangle = (frame) => [frame];
