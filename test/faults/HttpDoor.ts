import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A request as it came. */
export interface Knock {
  /** On the clock of this process, ms. */
  readonly at: number;
  readonly path: string;
  readonly key: string | undefined;
  readonly secret: string | undefined;
  readonly body: string;
  /** What was answered; undefined: nothing, or not yet. */
  status: number | undefined;
  /** When its answer was out or its connection gone, on the same clock. */
  endedAt: number | undefined;
  /** How many requests of this path were under way when it came, itself included. */
  readonly atOnce: number;
}

/** What the hub behind the door said. */
interface Said {
  readonly status: number;
  readonly text: string;
}

/** What becomes of one request; `pass` hands it to the hub. */
export type Treatment = (response: ServerResponse, pass: () => Promise<Said>) => unknown;

const HOP_BY_HOP = ['host', 'connection', 'content-length', 'expect', 'transfer-encoding'];
const CHUNK = Buffer.alloc(64 * 1024, ' ');

/**
 * Stands before a hub, writes down every request with the time it came and the bytes it brought, and does to it what
 * backends, and what stands before them, do.
 */
export class HttpDoor {
  readonly knocks: Knock[] = [];
  /** Decides over each request; may be changed at any time. */
  treat: (knock: Knock) => Treatment;
  #target = '';
  #server: Server | undefined;
  readonly #underWay = new Map<string, number>();

  constructor(treat: (knock: Knock) => Treatment = () => passes) {
    this.treat = treat;
  }

  async start(): Promise<this> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      request.on('error', () => {});
      this.#take(request, response).catch(() => response.socket?.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return this;
  }

  before(target: string): void {
    this.#target = target;
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

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const atOnce = (this.#underWay.get(path) ?? 0) + 1;
    this.#underWay.set(path, atOnce);
    response.on('close', () => this.#underWay.set(path, this.#underWay.get(path)! - 1));
    const at = performance.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const key = request.headers['idempotency-key'] as string | undefined;
    const secret = request.headers.authorization?.replace('Bearer ', '');
    const knock: Knock = { at, path, key, secret, body, status: undefined, endedAt: undefined, atOnce };
    this.knocks.push(knock);
    response.on('close', () => {
      knock.endedAt = performance.now();
    });
    response.on('finish', () => {
      knock.status = response.statusCode;
    });
    await this.treat(knock)(response, () => this.#pass(request, body));
  }

  async #pass(request: IncomingMessage, body: string): Promise<Said> {
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' && !HOP_BY_HOP.includes(name) ? [[name, value]] : [],
    );
    const said = await fetch(this.#target + request.url, { method: request.method!, headers, body });
    return { status: said.status, text: await said.text() };
  }
}

/** Nothing is done to it. */
export const passes: Treatment = async (response, pass) => {
  const { status, text } = await pass();
  answer(response, status, text);
};

/** Read to its end and never answered. */
export const silence: Treatment = () => {};

/** Answered without the hub's having seen it. */
export function says(status: number, body = '{}', headers: Record<string, string> = {}): Treatment {
  return (response) => answer(response, status, body, headers);
}

/** The hub takes it, and then the connection is reset. */
export const takenThenReset: Treatment = async (response, pass) => {
  await pass();
  (response.socket as { resetAndDestroy(): void } | null)?.resetAndDestroy();
};

/** The hub takes it, and its answer is lost on the way: another one comes. */
export function takenThen(instead: Treatment): Treatment {
  return async (response, pass) => {
    await pass();
    return instead(response, pass);
  };
}

/** The hub's own answer, cut off in the middle. */
export const brokenOff: Treatment = async (response, pass) => {
  const { status, text } = await pass();
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length });
  response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
};

/** JSON that does not end, with a header that says that it does. */
export const truncated: Treatment = async (response, pass) => {
  const { status, text } = await pass();
  answer(response, status, text.slice(0, text.length / 2));
};

/** A body of so many bytes, as fast as it is read. `onEnd` gets how many were written before it was over. */
export function endless(bytes: number, onEnd: (written: number) => void): Treatment {
  return (response) => {
    let written = 0;
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (written < bytes && !response.destroyed) {
        written += CHUNK.length;
        if (!response.write(CHUNK)) return response.once('drain', more);
      }
      return response.end();
    };
    response.on('close', () => onEnd(written));
    more();
  };
}

/** 100 MB of nothing in 100 kB. */
export const gzipBomb: Treatment = (response) => {
  const body = gzipSync(Buffer.alloc(100_000_000));
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(body);
};

function answer(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}
