import type { AgentOptions, ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import type { ClientOptions } from 'ws';
import { type Clock, systemClock } from '../../util/Clock.ts';
import { http } from '../../util/http.ts';
import { isLoopback } from '../../util/loopback.ts';
import { silentTelemetry, type Telemetry } from '../../util/Telemetry.ts';
import { type Channel, NetworkConditions } from './NetworkConditions.ts';
import { type NetworkFailure, networkFailure } from './networkFailure.ts';
import { openTunnel } from './openTunnel.ts';
import { proxyFor, shownProxy } from './proxyFor.ts';
import { Trust } from './Trust.ts';

/**
 * How long one address may take before the next is tried beside it, ms (RFC 8305, 8: 250). With a first address that
 * swallows everything, the second of the other family connects well within a second. Node's default varies by version.
 */
const NEXT_ADDRESS_MS = 250;
const ADDRESSES = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS };

export interface NetworkOptions {
  /** backend.proxy_url. @default HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment */
  proxyUrl?: string | undefined;
  /** A PEM file of authorities that are trusted beside Node's. */
  caFile?: string | undefined;
  /** SHA-256 of public keys (SPKI), base64; one of them must be the server's. Empty: any. */
  pins?: readonly string[];
  clock?: Clock;
  /** @default nobody hears */
  telemetry?: Telemetry;
}

type Connect = HttpAgent['createConnection'];

/** How a connection to the backend is made: directly or through a proxy, and whom it trusts. One for HTTP and ws. */
export class Network {
  readonly #o: NetworkOptions;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #trust: Trust;
  readonly #conditions: NetworkConditions;

  constructor(options: NetworkOptions) {
    this.#o = options;
    this.#clock = options.clock ?? systemClock;
    this.#telemetry = options.telemetry ?? silentTelemetry;
    this.#conditions = new NetworkConditions(this.#telemetry);
    this.#trust = new Trust({
      caFile: options.caFile,
      pins: options.pins ?? [],
      onCaFile: (problem) => {
        if (problem === undefined) this.#telemetry.conditionCleared('EDGE_CA_FILE');
        else this.#telemetry.conditionRaised('EDGE_CA_FILE', problem);
      },
    });
  }

  /** Tells how these URLs are reached, and that a secret will cross the network in the clear where it will. */
  start(urls: readonly string[]): void {
    const parsed = urls.map((url) => new URL(url));
    this.#trust.forBackend();
    const description = this.describe(parsed);
    if (description) this.#telemetry.networkUsed(description);
    const open = parsed.filter((url) => ['http:', 'ws:'].includes(url.protocol) && !isLoopback(url));
    if (open.length > 0) this.#telemetry.conditionRaised('EDGE_BACKEND_INSECURE', open.map(String).join(', '));
  }

  /** The proxy on the way to this URL; undefined for none. @throws EdgeError EDGE_PROXY_FAILED, as every connection */
  proxyFor(url: URL): URL | undefined {
    return proxyFor(url, this.#o.proxyUrl);
  }

  /** The proxies without credentials, the CA file, the pins. Undefined: nothing special. */
  describe(urls: readonly URL[]): string | undefined {
    const { caFile, pins = [] } = this.#o;
    const parts = [
      ...new Set(urls.map((url) => this.#proxyText(url))),
      caFile && `the authorities of ${caFile}`,
      pins.length > 0 && `public keys pinned: ${pins.length}`,
    ].filter(Boolean);
    return parts.length > 0 ? parts.join(', ') : undefined;
  }

  /** A pool of connections for requests to this URL. `destroy` also ends those that a proxy has not made yet. */
  httpAgent(url: URL, options: AgentOptions): HttpAgent | HttpsAgent {
    const isSecure = url.protocol === 'https:' || url.protocol === 'wss:';
    // A resumed session is not checked again, neither its certificate nor its pin.
    const agent = isSecure ? new HttpsAgent({ ...options, maxCachedSessions: 0 }) : new http.Agent(options);
    const giveUp = new AbortController();
    const connect: Connect = agent.createConnection.bind(agent);
    const destroy = agent.destroy.bind(agent);
    agent.createConnection = (request, onConnection = () => {}) => {
      try {
        const tls = isSecure ? { ...(request as ConnectionOptions), ...this.#trust.forBackend() } : undefined;
        const proxy = proxyFor(url, this.#o.proxyUrl);
        if (!proxy) return connect({ ...request, ...ADDRESSES, ...tls } as ClientRequestArgs, onConnection);
        this.#throughProxy(proxy, { url, tls, signal: giveUp.signal }).then(
          (socket) => onConnection(null, socket),
          (error: Error) => onConnection(error, undefined as never), // as Node's own agent calls it
        );
      } catch (error) {
        process.nextTick(onConnection, error as Error, undefined as never);
      }
      return undefined;
    };
    agent.destroy = () => {
      giveUp.abort(new Error('the connection was given up'));
      destroy();
    };
    return agent;
  }

  /** What `new WebSocket` needs beside headers and limits; made anew for every dial. */
  socketOptions(url: URL): ClientOptions {
    const agent = this.httpAgent(url, {});
    return {
      agent,
      followRedirects: false,
      finishRequest: (request) => {
        request.once('abort', () => agent.destroy()); // ws gives a dial up by this; the request has no socket yet
        request.end();
      },
    };
  }

  /** What an error of a connection means; stands as a condition until `worked`. */
  failed(channel: Channel, error: unknown): NetworkFailure {
    const failure = networkFailure(error);
    this.#conditions.failed(channel, failure.code, failure.detail);
    return failure;
  }

  /** The backend answered on this channel, well or badly. */
  worked(channel: Channel): void {
    this.#conditions.worked(channel);
  }

  async #throughProxy(proxy: URL, o: { url: URL; tls: ConnectionOptions | undefined; signal: AbortSignal }) {
    const { url, tls, signal } = o;
    const socket = await openTunnel({
      proxy,
      authority: `${url.hostname}:${url.port || (tls ? 443 : 80)}`,
      connection: { ...ADDRESSES, ...(proxy.protocol === 'https:' && this.#trust.forProxy()) },
      clock: this.#clock,
      signal,
    });
    return tls ? tlsConnect({ ...tls, socket }) : socket;
  }

  #proxyText(url: URL): string | undefined {
    try {
      const proxy = proxyFor(url, this.#o.proxyUrl);
      return proxy && `proxy ${shownProxy(proxy)}`;
    } catch {
      return undefined; // told by every connection
    }
  }
}
