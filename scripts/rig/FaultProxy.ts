import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { FaultyLine, type LineFaults, SOUND } from './FaultyLine.ts';

/** `up`: from the client to the target. `down`: back. */
export type Direction = 'up' | 'down';
/** Which connections a fault is for: those that are open, those to come, or both. */
export type Whose = 'open' | 'new' | 'all';
/** What becomes of a new connection: passed on, reset, or accepted and never looked at again. */
export type Door = 'open' | 'resets' | 'silent';

export interface FaultProxyOptions {
  /** The port on loopback behind the proxy; `target` changes it. */
  target?: number;
  /** Speaks TLS to clients, plain TCP to the target. */
  tls?: SecureContextOptions | undefined;
}

interface Connection {
  /** Without TLS: what can be reset. */
  readonly wire: Socket;
  readonly target: Socket;
  readonly lines: Readonly<Record<Direction, FaultyLine>>;
}

/**
 * A TCP proxy on loopback that does what networks do to the connections through it. Everything can be switched while it
 * runs; no timer and no socket is left after stop().
 */
export class FaultProxy {
  /** Where new connections lead. */
  target: number;
  /** What new connections are shown; undefined: no TLS. */
  tls: SecureContextOptions | undefined;
  door: Door = 'open';
  readonly counters = {
    accepted: 0,
    /** Reset or left in silence at the door. */
    turnedAway: 0,
    /** Bytes that got through. */
    up: 0,
    down: 0,
    /** Bytes that did not, both directions. */
    swallowed: 0,
  };
  /** When each connection came, ms on the monotonic clock. */
  readonly acceptedAt: number[] = [];
  readonly #connections = new Set<Connection>();
  /** Every socket there is, those at a silent door as well. */
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #faults: Record<Direction, LineFaults> = { up: SOUND, down: SOUND };

  constructor(options: FaultProxyOptions = {}) {
    this.target = options.target ?? 0;
    this.tls = options.tls;
  }

  get port(): number {
    return this.#port;
  }

  /** How many connections are passed on just now. */
  get open(): number {
    return this.#connections.size;
  }

  /** Listens, on the same port as before if it did. */
  async start(): Promise<void> {
    if (this.#server) return;
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Refuses connections as a machine does where nothing listens, until start(); those that are open stay. */
  shut(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.shut();
    for (const { lines } of this.#connections) for (const line of [lines.up, lines.down]) line.stop();
    for (const socket of this.#sockets) socket.destroy();
    if (server?.listening) await new Promise((resolve) => server.once('close', resolve));
  }

  /** What is not named is sound. */
  degrade(faults: Partial<LineFaults>, direction: Direction | 'both' = 'both', whose: Whose = 'all'): void {
    const whole = Object.keys(faults).length === 0 ? SOUND : { ...SOUND, ...faults };
    for (const one of direction === 'both' ? (['up', 'down'] as const) : [direction]) {
      if (whose !== 'open') this.#faults[one] = whole;
      if (whose !== 'new') for (const { lines } of this.#connections) lines[one].faults = whole;
    }
  }

  /** Connections stay open, new ones are accepted, and nothing gets through. */
  blackHole(whose: Whose = 'all'): void {
    this.degrade({ isSwallowing: true }, 'both', whose);
  }

  /** Resets every connection. */
  reset(): void {
    for (const { wire, target } of this.#connections) {
      wire.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  /** Ends every connection in one direction; the other goes on. */
  halfClose(direction: Direction): void {
    for (const { lines } of this.#connections) lines[direction].end();
  }

  /** As a cable: resets every connection and each new one, until `mend`. */
  cut(): void {
    this.door = 'resets';
    this.reset();
  }

  /** No fault is left. What stood at a silent door, and what lost bytes, is reset, as by a router that forgot it. */
  mend(): void {
    this.door = 'open';
    this.degrade({});
    for (const { wire, target, lines } of this.#connections) {
      const isBroken = lines.up.hasLost || lines.down.hasLost || wire.destroyed || target.destroyed;
      if (isBroken) for (const socket of [wire, target]) socket.resetAndDestroy();
    }
    const known = new Set([...this.#connections].flatMap(({ wire, target }) => [wire, target]));
    for (const socket of this.#sockets) if (!known.has(socket)) socket.resetAndDestroy();
  }

  #accept(wire: Socket): void {
    this.counters.accepted++;
    this.acceptedAt.push(performance.now());
    this.#keep(wire);
    if (this.door === 'resets') wire.resetAndDestroy();
    if (this.door !== 'open') this.counters.turnedAway++;
    else if (this.tls) this.#secure(wire, this.tls);
    else this.#connect(wire, wire);
  }

  #secure(wire: Socket, tls: SecureContextOptions): void {
    const client = new TLSSocket(wire, { isServer: true, secureContext: createSecureContext(tls) });
    client.on('error', () => wire.destroy()); // a client that does not trust us says so and goes
    client.once('secure', () => this.#connect(wire, client));
  }

  #connect(wire: Socket, client: Socket): void {
    const target = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    this.#keep(target);
    target.setNoDelay(true);
    const up = this.#line('up', client, target);
    const down = this.#line('down', target, client);
    const connection = { wire, target, lines: { up, down } };
    this.#connections.add(connection);
    client.once('close', (hadError) => this.#closed(connection, hadError ? target : undefined, up));
    target.once('close', (hadError) => this.#closed(connection, hadError ? wire : undefined, down));
    up.start();
    down.start();
  }

  #line(direction: Direction, from: Socket, to: Socket): FaultyLine {
    const count = (passed: number, swallowed: number) => {
      this.counters[direction] += passed;
      this.counters.swallowed += swallowed;
    };
    return new FaultyLine({ from, to, faults: this.#faults[direction], count });
  }

  /** One side is gone. A reset goes on to the other, if the line that leads there carries anything. */
  #closed(connection: Connection, toReset: Socket | undefined, line: FaultyLine): void {
    const { wire, target, lines } = connection;
    if (toReset && !line.isSwallowing) toReset.resetAndDestroy();
    if (!wire.destroyed || !target.destroyed) return;
    for (const one of [lines.up, lines.down]) one.stop();
    this.#connections.delete(connection);
  }

  #keep(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.on('error', () => {}); // tells itself by 'close'
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
