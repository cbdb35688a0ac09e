import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to an upload: it passes, gets this status, or is held until the promise resolves. */
export type UploadFate = 'pass' | number | Promise<unknown>;

/** Stands before a hub and decides over each upload; everything else passes. Files go through it as they come. */
export class UploadDoor {
  /** Idempotency keys of the uploads that came, in order. */
  readonly tried: string[] = [];
  readonly #fateOf: (attachmentGuid: string) => UploadFate;
  #target = '';
  #server: Server | undefined;

  constructor(fateOf: (attachmentGuid: string) => UploadFate) {
    this.#fateOf = fateOf;
  }

  async start(): Promise<this> {
    const server = createServer((incoming, response) => {
      incoming.on('error', () => {});
      this.#take(incoming, response).catch(() => response.destroy());
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

  async #take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (incoming.url === '/photo/upload') {
      const key = String(incoming.headers['idempotency-key']);
      this.tried.push(key);
      const fate = this.#fateOf(key);
      if (typeof fate === 'number') {
        incoming.resume();
        response.writeHead(fate, { 'content-type': 'application/json' }).end('{"error":"as told"}');
        return;
      }
      if (fate !== 'pass') await fate;
    }
    const { expect: _, ...headers } = incoming.headers;
    const outgoing = request(this.#target + incoming.url, { method: incoming.method!, headers }, (said) => {
      response.writeHead(said.statusCode!, said.headers);
      said.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  }
}
