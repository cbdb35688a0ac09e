import { Network } from '../../../src/backend/network/Network.ts';
import { WebSocketClient } from '../../../src/backend/WebSocketClient.ts';
import { EdgeSockets } from '../../../src/hub/edge/EdgeSockets.ts';
import { EdgeTelemetry } from '../../../src/hub/edge/EdgeTelemetry.ts';
import { RateLimits } from '../../../src/hub/edge/RateLimits.ts';
import { silentLogger } from '../../../src/util/Logger.ts';
import type { Random } from '../../../src/util/Random.ts';
import { FakeClock } from '../../support/FakeClock.ts';
import { recordingTelemetry } from '../../support/recordingTelemetry.ts';
import { asWebSocket, SocketEnd } from './linkedSockets.ts';

/** The connections of many agents and the sockets of one hub, both real, on one clock; between them only memory. */
export class Fleet {
  readonly clock = new FakeClock();
  /** When the dials were made, ms on the clock. */
  dials: number[] = [];
  /** Those of them that the hub took. */
  taken: number[] = [];
  readonly #size: number;
  readonly #clients: WebSocketClient[];
  #ends: SocketEnd[] = [];
  #hub: EdgeSockets | undefined;

  constructor(o: { size: number; random: Random }) {
    this.#size = o.size;
    const { telemetry } = recordingTelemetry();
    this.#clients = Array.from({ length: o.size }, (_, n) => {
      const agentId = `edge_${n}`;
      return new WebSocketClient({
        url: 'ws://127.0.0.1/edge/ws',
        agentId,
        secret: () => 'secret',
        refreshSecret: () => {},
        pingIntervalSeconds: 30,
        network: new Network({}),
        clock: this.clock,
        random: o.random,
        telemetry,
        onUp: () => {},
        onDown: () => {},
        onCommand: () => {},
        onConfigUpdate: () => {},
        onPong: () => {},
        onLargeFrames: () => {},
        createSocket: () => asWebSocket(this.#dial(agentId)),
      });
    });
  }

  get up(): number {
    return this.#clients.filter((client) => client.isUp).length;
  }

  /** A hub that knows them all begins to listen. */
  listen(): void {
    const { clock } = this;
    const telemetry = new EdgeTelemetry({ logger: silentLogger, observer: {}, clock, showContent: false });
    const limits = new RateLimits({ limits: 'off' });
    const nothing = () => {};
    const onAck = async () => {};
    this.#hub = new EdgeSockets({ clock, telemetry, limits, silenceMs: 60_000, onUp: nothing, onDown: nothing, onAck });
    this.#hub.known = this.#size;
  }

  /** Starts all agents and lets their connections last, so that the next end is the first of an outage. */
  async start(): Promise<void> {
    this.listen();
    for (const client of this.#clients) client.start();
    await this.clock.advance(40_000);
    this.dials = [];
    this.taken = [];
  }

  /** Every connection is gone at this moment, and nothing listens. */
  crash(): void {
    this.#hub = undefined;
    for (const end of this.#ends) end.terminate();
    this.#ends = [];
  }

  /** The hub closes all at this moment and goes on listening. */
  closeAll(code: number, reason: string): void {
    this.#hub!.closeAll(code, reason);
  }

  /** The hub takes its leave and then listens no more. */
  async leave(): Promise<void> {
    const leaving = this.#hub!.drain('Service restart');
    this.#hub = undefined;
    await this.clock.advance(11_000);
    await leaving;
    this.#ends = [];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
  }

  #dial(agentId: string): SocketEnd {
    const near = new SocketEnd();
    this.dials.push(this.clock.monotonic());
    queueMicrotask(() => {
      if (!this.#hub) {
        near.emit('error', Object.assign(new Error('connect ECONNREFUSED 127.0.0.1'), { code: 'ECONNREFUSED' }));
        return near.close(1006);
      }
      this.taken.push(this.clock.monotonic());
      const far = SocketEnd.pair(near);
      this.#ends.push(near);
      near.emit('open');
      this.#hub.attach(agentId, asWebSocket(far));
    });
    return near;
  }
}

/** The most of these moments in any 100 ms. */
export function crowd(moments: readonly number[]): number {
  const sorted = [...moments].sort((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while (sorted[last]! - sorted[first]! >= 100) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
