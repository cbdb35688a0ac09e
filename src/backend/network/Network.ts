import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { ClientOptions } from 'ws';

export interface NetworkOptions {
  /** backend.proxy_url. @default HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment */
  proxyUrl?: string | undefined;
  /** A PEM file of authorities that are trusted beside Node's. */
  caFile?: string | undefined;
  /** SHA-256 of public keys (SPKI), base64; one of them must be the server's. Empty: any. */
  pins?: readonly string[];
}

/** How a connection to the backend is made: directly or through a proxy, and whom it trusts. One for HTTP and ws. */
export class Network {
  readonly #o: NetworkOptions;

  constructor(options: NetworkOptions) {
    this.#o = options;
  }

  /** A pool of connections for requests to this URL. */
  httpAgent(url: URL, options: AgentOptions): HttpAgent | HttpsAgent {
    return url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** What `new WebSocket` needs beside headers and limits; made anew for every dial. */
  socketOptions(_url: URL): ClientOptions {
    return {};
  }

  /** For the log of each start: the proxy without its credentials, the CA file, the pins. Undefined: nothing special. */
  describe(): string | undefined {
    return this.#o.proxyUrl;
  }
}
