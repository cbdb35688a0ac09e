import type { WebSocket } from 'ws';
import { frameSchema } from '../../protocol/wire.ts';
import { type Clock, sleep } from '../../util/Clock.ts';
import { messageOf } from '../../util/EdgeError.ts';
import type { EdgeTelemetry } from './EdgeTelemetry.ts';
import { fleetSpreadMs } from './fleetSpread.ts';
import type { RateLimits } from './RateLimits.ts';

/** Frames of one socket that wait for their turn; past it the socket is not read. */
const MAX_WAITING_FRAMES = 100;
/** Bytes that may wait for a slow reader before commands are held back, and before it is cut off. */
const FULL_BYTES = 1024 * 1024;
const OVERFULL_BYTES = 4 * 1024 * 1024;
/** How long a peer may take over the closing handshake, ms. */
const CLOSE_MS = 1_000;
/** A stop takes its leave of a fleet over at most so long, ms: what waits for its end has patience for little more. */
const MAX_DRAIN_MS = 10_000;
/** Some agents of a fleet are told every so many ms. */
const DRAIN_STEP_MS = 50;
/** Agents that are asked for no wait come back within 0.2 to 2 s by themselves: no shorter wait spreads them better, ms. */
const LEAST_RETRY_AFTER_MS = 2_000;
/** The most that agents take of a greeting's spread, ms. */
const MAX_RECONNECT_SPREAD_MS = 60_000;

const CLOSE_REPLACED = 4409;
export const CLOSE_RESTART = 1012;
const CLOSE_TRY_LATER = 1013;

/** A frame to an agent. */
export type HubFrame = { type: 'pong' } | { type: 'connected' | 'command' | 'drain'; data: Record<string, unknown> };

interface Connection {
  readonly agentId: string;
  readonly ws: WebSocket;
  lastFrameAt: number;
  /** Frames that arrived and are not done with. */
  waiting: number;
  /** Settles when the frames so far are done with. */
  tail: Promise<void>;
}

/** The open sockets by agent id. Of two with one id the newest wins. */
export class EdgeSockets {
  readonly #clock: Clock;
  readonly #telemetry: EdgeTelemetry;
  readonly #limits: RateLimits;
  readonly #silenceMs: number;
  readonly #onUp: (agentId: string) => void;
  readonly #onDown: (agentId: string) => void;
  readonly #onAck: (agentId: string, data: unknown) => Promise<void>;
  readonly #byAgent = new Map<string, Connection>();
  /** Agents that were here lately: after a restart the first of a fleet is greeted as one of it. */
  known = 0;

  constructor(o: {
    clock: Clock;
    telemetry: EdgeTelemetry;
    limits: RateLimits;
    /** A socket without any frame for so long is dropped, ms. */
    silenceMs: number;
    onUp(agentId: string): void;
    /** No socket of this agent is left. */
    onDown(agentId: string): void;
    /** A command_ack frame. A later ping is answered only after this is done, so that a pong proves the ack. */
    onAck(agentId: string, data: unknown): Promise<void>;
  }) {
    this.#clock = o.clock;
    this.#telemetry = o.telemetry;
    this.#limits = o.limits;
    this.#silenceMs = o.silenceMs;
    this.#onUp = o.onUp;
    this.#onDown = o.onDown;
    this.#onAck = o.onAck;
  }

  get count(): number {
    return this.#byAgent.size;
  }

  isUp(agentId: string): boolean {
    const ws = this.#byAgent.get(agentId)?.ws;
    return ws !== undefined && ws.readyState === ws.OPEN;
  }

  /** Up, and reading what it is sent. */
  canTake(agentId: string): boolean {
    return this.isUp(agentId) && this.#byAgent.get(agentId)!.ws.bufferedAmount < FULL_BYTES;
  }

  attach(agentId: string, ws: WebSocket): void {
    const connection: Connection = {
      agentId,
      ws,
      lastFrameAt: this.#clock.monotonic(),
      waiting: 0,
      tail: Promise.resolve(),
    };
    const replaced = this.#byAgent.get(agentId);
    this.#byAgent.set(agentId, connection);
    if (replaced) this.#close(replaced.ws, CLOSE_REPLACED, 'replaced');
    const touch = () => {
      connection.lastFrameAt = this.#clock.monotonic();
    };
    ws.on('message', (bytes, isBinary) => {
      touch();
      this.#queue(connection, isBinary ? undefined : String(bytes));
    });
    ws.on('ping', touch);
    ws.on('pong', touch);
    ws.on('error', (error) => this.#telemetry.frameIgnored(agentId, messageOf(error)));
    ws.on('close', (code) => this.#closed(connection, code));
    this.#telemetry.socketUp(agentId, this.count);
    this.#write(connection, { type: 'connected', data: this.#greeting() });
    this.#onUp(agentId);
  }

  /** False when there is no open socket. True says that the frame was written, not that it arrived. */
  send(agentId: string, frame: HubFrame): boolean {
    const connection = this.#byAgent.get(agentId);
    return connection !== undefined && this.#write(connection, frame);
  }

  /** Drops the sockets that have been silent for too long. */
  sweep(): void {
    const limit = this.#clock.monotonic() - this.#silenceMs;
    for (const { ws, lastFrameAt } of this.#byAgent.values()) if (lastFrameAt <= limit) ws.terminate();
  }

  closeAll(code: number, reason: string): void {
    for (const { ws } of this.#byAgent.values()) this.#close(ws, code, reason);
  }

  /**
   * Takes leave of every agent for a restart: a drain frame and the close behind it, a fleet one after the other.
   * Agents come back as they were told, after as long as the leave of all takes. Resolves when the last was told.
   */
  async drain(reason: string): Promise<void> {
    const leaving = [...this.#byAgent.values()];
    const lengthMs = fleetSpreadMs(leaving.length, MAX_DRAIN_MS);
    const data = { retry_after_ms: lengthMs < LEAST_RETRY_AFTER_MS ? 0 : lengthMs };
    if (lengthMs > 0) this.#telemetry.leaveTaken(leaving.length, lengthMs);
    const begunAt = this.#clock.monotonic();
    for (let told = 0; ; ) {
      const share = lengthMs === 0 ? 1 : (this.#clock.monotonic() - begunAt) / lengthMs;
      for (const connection of leaving.slice(told, Math.ceil(share * leaving.length))) {
        told += 1;
        if (this.#write(connection, { type: 'drain', data })) this.#close(connection.ws, CLOSE_RESTART, reason);
      }
      if (told === leaving.length) return;
      await sleep(this.#clock, DRAIN_STEP_MS);
    }
  }

  #greeting(): Record<string, unknown> {
    const message = 'WebSocket connected';
    const spreadMs = fleetSpreadMs(Math.max(this.known, this.count), MAX_RECONNECT_SPREAD_MS);
    return spreadMs === 0 ? { message } : { message, reconnect_spread_ms: spreadMs };
  }

  #close(ws: WebSocket, code: number, reason: string): void {
    ws.close(code, reason);
    const timer = this.#clock.after(CLOSE_MS, () => ws.terminate());
    ws.once('close', () => timer.cancel());
  }

  #closed(connection: Connection, code: number): void {
    // A replaced socket closes after its successor took its place: the entry is the successor's then.
    const isCurrent = this.#byAgent.get(connection.agentId) === connection;
    if (isCurrent) this.#byAgent.delete(connection.agentId);
    this.#telemetry.socketDown(connection.agentId, code, this.count);
    if (isCurrent) this.#onDown(connection.agentId);
  }

  #write({ ws }: Connection, frame: HubFrame): boolean {
    if (ws.readyState !== ws.OPEN) return false;
    if (ws.bufferedAmount > OVERFULL_BYTES) {
      ws.terminate();
      return false;
    }
    ws.send(JSON.stringify(frame));
    return true;
  }

  #queue(connection: Connection, text: string | undefined): void {
    if (++connection.waiting >= MAX_WAITING_FRAMES) connection.ws.pause();
    connection.tail = connection.tail
      .then(() => this.#handle(connection, text))
      .catch((error) => {
        // The ack was not stored: without a pong the agent will hand it over again.
        this.#telemetry.failure(`A frame of ${connection.agentId}`, messageOf(error));
        this.#close(connection.ws, CLOSE_TRY_LATER, 'try again later');
      })
      .then(() => {
        if (--connection.waiting < MAX_WAITING_FRAMES && connection.ws.isPaused) connection.ws.resume();
      });
  }

  async #handle(connection: Connection, text: string | undefined): Promise<void> {
    const { agentId, ws } = connection;
    const wait = await this.#limits.take('frames', agentId);
    if (wait > 0) {
      this.#telemetry.rateLimited('frames', agentId, wait);
      this.#close(ws, CLOSE_TRY_LATER, 'too many frames');
      return;
    }
    const frame = frameSchema.safeParse(parseJson(text));
    if (!frame.success) return this.#telemetry.frameIgnored(agentId, 'it is not a JSON object with a type');
    if (frame.data.type === 'ping') this.#write(connection, { type: 'pong' });
    else if (frame.data.type === 'command_ack') await this.#onAck(agentId, frame.data.data);
    else this.#telemetry.frameUnknown(agentId, frame.data.type);
  }
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
