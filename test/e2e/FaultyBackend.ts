import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What happens to one POST /edge/message: `refuse` and `known` are the backend's last words (400, 409), the others are
 * followed by another attempt. `broken` and `unsaid`: the hub took the message, and its answer is lost.
 */
export type Fate = 'pass' | 'slow' | 'busy' | 'broken' | 'unsaid' | 'refuse' | 'known';

const SLOW_MS = 150;

/** Stands before a hub and does to messages what networks and backends do. */
export class FaultyBackend {
  readonly #fateOf: (guid: string) => Fate;
  #target = '';
  #server: Server | undefined;

  constructor(fateOf: (guid: string) => Fate) {
    this.#fateOf = fateOf;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      this.#take(request, response).catch(() => response.socket?.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#server = server;
    return this;
  }

  before(target: string): void {
    this.#target = target;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server!.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const fate = request.url === '/edge/message' ? this.#fateOf(JSON.parse(body).message_guid) : 'pass';
    if (fate === 'busy') return answer(response, 500, '{}');
    if (fate === 'refuse') return answer(response, 400, '{"error":"refused"}');
    if (fate === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' && !['host', 'connection', 'content-length', 'expect'].includes(name)
        ? [[name, value]]
        : [],
    );
    const said = await fetch(this.#target + request.url, { method: request.method!, headers, body });
    const text = await said.text();
    if (fate === 'broken') return answer(response, 502, '{}');
    if (fate === 'known') return answer(response, 409, '{}');
    if (fate === 'unsaid') response.socket?.destroy();
    else answer(response, said.status, text);
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(text);
}
