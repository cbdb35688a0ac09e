import type { AgentFrame, SyncRequest, SyncResponse } from '../protocol/wire.ts';
import type { Clock } from '../util/Clock.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { BackendClient } from './BackendClient.ts';
import { Network, type NetworkOptions } from './network/Network.ts';
import type { SocketStatus } from './SocketStatus.ts';
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
  /** `data` of a command frame, unchecked, and the length of the frame. */
  onCommand(raw: unknown, bytes: number): void;
  onConfigUpdate(raw: unknown): void;
  /** What a sync reports. */
  collect(): SyncRequest;
  /** Takes the answer of a sync in. */
  deliver(response: SyncResponse): Promise<void>;
  /** What the backend had for us when the socket came up is taken in, or cannot be had now. */
  onCaughtUp(): void;
  hasEvents(): boolean;
  /** Frames that are too large for the socket come again and again; to be told to the backend once. */
  onLargeFrames(detail: string): void;
}

/** For `status` and the metrics. */
export interface LinkStatus extends SocketStatus {
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
      sync: (...request) => this.client.sync(...request),
      collect: () => options.collect(),
      deliver: (response) => options.deliver(response),
      onCaughtUp: () => options.onCaughtUp(),
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
        options.onUp(); // first: the poller may say at once that there is nothing to catch up with
        this.#poller.socketUp();
      },
      onDown: () => {
        this.#since = clock.now();
        this.#poller.socketDown();
        options.onDown();
      },
      onCommand: (raw, bytes) => options.onCommand(raw, bytes),
      onConfigUpdate: (raw) => options.onConfigUpdate(raw),
      onPong: () => options.onPong(),
      onLargeFrames: (areComing, detail) => {
        this.#poller.allowLargeAnswers(areComing);
        if (areComing) options.onLargeFrames(detail);
      },
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
    return { isUp: this.isUp, since: this.#since, ...this.#socket.status };
  }

  /** False when the frame could not be handed to a live socket. */
  send(frame: AgentFrame): boolean {
    return this.#socket.send(frame);
  }

  /** False when no ping could be handed to a live socket. */
  ping(): boolean {
    return this.#socket.ping();
  }

  /** Of the open connection. */
  get unansweredPings(): number {
    return this.#socket.unansweredPings;
  }

  /** Events may be waiting. */
  syncSoon(): void {
    this.#poller.syncSoon();
  }

  /** Commands are known to wait at the backend. */
  syncNow(): void {
    this.#poller.syncNow();
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

  /** Gives the open connection up: what came by it cannot be stored, and comes again, in order, by the next one. */
  refuse(code: ErrorCode): void {
    this.#socket.refuse(code);
  }

  /** The secret is another: nothing that was refused waits any longer. */
  secretChanged(): void {
    this.#socket.secretChanged();
    this.#poller.retryNow();
  }

  /** The machine slept: another socket, and a sync, at once. */
  woke(): void {
    this.#socket.renew();
    this.#poller.syncNow();
  }
}
