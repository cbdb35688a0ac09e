import type { AgentFrame, SyncRequest, SyncResponse } from '../protocol/wire.ts';
import type { Clock } from '../util/Clock.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { BackendClient } from './BackendClient.ts';
import { Network, type NetworkOptions } from './network/Network.ts';
import { SyncPoller } from './SyncPoller.ts';
import { WebSocketClient } from './WebSocketClient.ts';

export interface LinkSettings {
  agentId: string;
  /** backend.url */
  baseUrl: string;
  /** `ws(s)://…/edge/ws` without the query. */
  websocketUrl: string;
  /** False: commands come by polling only. */
  isSocketEnabled: boolean;
  pingIntervalSeconds: number;
  syncIntervalSeconds: number;
  requestTimeoutSeconds: number;
  maxConcurrentRequests: number;
  network: NetworkOptions;
}

export interface LinkOptions {
  settings: LinkSettings;
  secret(): string | undefined;
  refreshSecret(): void;
  clock: Clock;
  random: Random;
  telemetry: Telemetry;
  onUp(): void;
  onDown(): void;
  onPong(): void;
  /** `data` of a command frame, unchecked. */
  onCommand(raw: unknown): void;
  onConfigUpdate(raw: unknown): void;
  /** What a sync reports. */
  collect(): SyncRequest;
  /** Takes the answer of a sync in. */
  deliver(response: SyncResponse): void;
  hasEvents(): boolean;
}

/** For `status`. */
export interface LinkStatus {
  isUp: boolean;
  /** When the socket came up or went down last, ms since 1970; undefined before the first. */
  since: number | undefined;
}

/** The agent's side of the contract: the WebSocket, the polling that stands in for it, and the requests. */
export class Link {
  readonly client: BackendClient;
  readonly #socket: WebSocketClient;
  readonly #poller: SyncPoller;
  readonly #settings: LinkSettings;
  readonly #network: Network;
  #since: number | undefined;

  constructor(options: LinkOptions) {
    const { settings, clock, random, telemetry } = options;
    this.#settings = settings;
    this.#network = new Network({ ...settings.network, clock, telemetry });
    const shared = {
      agentId: settings.agentId,
      secret: () => options.secret(),
      refreshSecret: () => options.refreshSecret(),
      clock,
      network: this.#network,
    };
    this.client = new BackendClient({
      ...shared,
      baseUrl: settings.baseUrl,
      requestTimeoutSeconds: settings.requestTimeoutSeconds,
      maxSockets: settings.maxConcurrentRequests,
    });
    this.#poller = new SyncPoller({
      clock,
      random,
      telemetry,
      intervalSeconds: settings.syncIntervalSeconds,
      sync: (request, signal) => this.client.sync(request, signal),
      collect: () => options.collect(),
      deliver: (response) => options.deliver(response),
      hasEvents: () => options.hasEvents(),
    });
    this.#socket = new WebSocketClient({
      ...shared,
      url: settings.websocketUrl,
      pingIntervalSeconds: settings.pingIntervalSeconds,
      random,
      telemetry,
      onUp: () => {
        this.#since = clock.now();
        this.#poller.socketUp();
        options.onUp();
      },
      onDown: () => {
        this.#since = clock.now();
        this.#poller.socketDown();
        options.onDown();
      },
      onCommand: (raw) => options.onCommand(raw),
      onConfigUpdate: (raw) => options.onConfigUpdate(raw),
      onPong: () => options.onPong(),
    });
  }

  start(): void {
    const { baseUrl, websocketUrl, isSocketEnabled } = this.#settings;
    this.#network.start([baseUrl, ...(isSocketEnabled ? [websocketUrl] : [])]);
    this.#poller.start();
    if (isSocketEnabled) this.#socket.start();
  }

  /** Resolves when no socket and no sync is left. Requests go on until `close`. */
  async stop(): Promise<void> {
    await this.#socket.stop();
    await this.#poller.stop();
  }

  /** Breaks off every request. */
  close(): void {
    this.client.close();
  }

  get isUp(): boolean {
    return this.#socket.isUp;
  }

  get status(): LinkStatus {
    return { isUp: this.isUp, since: this.#since };
  }

  /** False when the frame could not be handed to a live socket. */
  send(frame: AgentFrame): boolean {
    return this.#socket.send(frame);
  }

  ping(): void {
    this.#socket.ping();
  }

  /** Events may be waiting. */
  syncSoon(): void {
    this.#poller.syncSoon();
  }

  setSyncIntervalSeconds(seconds: number): void {
    this.#poller.setIntervalSeconds(seconds);
  }

  /** Reads nothing from the socket until `resume`: the backend is slowed down by the kernel. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The secret, or what else a refusal rested on, is another: nothing waits any longer. */
  secretChanged(): void {
    this.#socket.test();
    this.#poller.retryNow();
  }

  /** The machine slept. */
  woke(): void {
    this.#socket.test();
    this.#poller.syncSoon();
  }
}
