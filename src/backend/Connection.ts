import type { RawData, WebSocket } from 'ws';
import { type AgentFrame, MAX_BODY_BYTES } from '../protocol/wire.ts';
import type { Clock } from '../util/Clock.ts';
import type { Ending } from './connectionPolicy.ts';
import { Heartbeat, SILENCE_LIMIT_MS } from './Heartbeat.ts';

/** What may wait unsent in a socket before send() refuses, bytes; acks are tried again, and go by HTTP if that lasts. */
const MAX_UNSENT_BYTES = MAX_BODY_BYTES;

export interface ConnectionEnd {
  code: number;
  reason: string;
  /** What the policy goes by: the error behind the end, if there was one. */
  ending: Ending;
}

export interface ConnectionOptions {
  /** Just opened. */
  socket: WebSocket;
  clock: Clock;
  pingIntervalMs: number;
  /** The first frame came, of whatever kind: somebody is there. Called once, before that frame is handed on. */
  onProven(): void;
  onFrame(raw: RawData, isBinary: boolean): void;
  onError(error: NodeJS.ErrnoException): void;
  /** Called at most once, and never after `leave`. */
  onEnd(end: ConnectionEnd): void;
}

/** One open socket, with the proof that its peer is alive. */
export class Connection {
  readonly #o: ConnectionOptions;
  readonly #heartbeat: Heartbeat;
  /** Monotonic, ms; undefined before the first frame. */
  #heardAt: number | undefined;
  #unansweredPings = 0;
  #isPaused = false;
  #isLeft = false;

  constructor(options: ConnectionOptions) {
    this.#o = options;
    this.#heartbeat = new Heartbeat({
      clock: options.clock,
      intervalMs: options.pingIntervalMs,
      sendPing: () => this.#sendPing(),
      onDead: () => this.#dead(),
    });
  }

  start(): void {
    const { socket, onFrame, onError, onEnd } = this.#o;
    let error: NodeJS.ErrnoException | undefined;
    socket.on('message', (raw, isBinary) => {
      this.#heard();
      if (!this.#isLeft) onFrame(raw, isBinary);
    });
    socket.on('ping', () => this.#heard());
    socket.on('pong', () => this.#heard());
    socket.on('error', (thrown) => {
      error = thrown;
      onError(thrown);
    });
    socket.on('close', (code, reason) => {
      this.#heartbeat.stop();
      const ending: Ending = error ? { kind: 'error', code: error.code } : { kind: 'code', code };
      onEnd({ code, reason: reason.toString(), ending });
    });
    this.#heartbeat.start();
  }

  /** Milliseconds since anything came; undefined before the first frame. */
  get lastFrameAgeMs(): number | undefined {
    return this.#heardAt === undefined ? undefined : this.#o.clock.monotonic() - this.#heardAt;
  }

  /** Pings that no pong has come for. */
  get unansweredPings(): number {
    return this.#unansweredPings;
  }

  /** A pong came, so many milliseconds after the last ping. */
  answered(): number {
    this.#unansweredPings = Math.max(0, this.#unansweredPings - 1);
    return this.#heartbeat.sincePing();
  }

  /** False when the socket does not take the frame. True does not mean that it arrived. */
  send(frame: AgentFrame): boolean {
    const { socket } = this.#o;
    if (socket.readyState !== socket.OPEN || socket.bufferedAmount > MAX_UNSENT_BYTES) return false;
    socket.send(JSON.stringify(frame));
    return true;
  }

  /** False when the socket does not take it. */
  ping(): boolean {
    return this.#heartbeat.ping();
  }

  /** Reads no more until `resume`; before the first frame nothing is held back, since that proves the peer. */
  pause(): void {
    this.#isPaused = true;
    if (this.#heardAt !== undefined) this.#hold();
  }

  resume(): void {
    this.#isPaused = false;
    this.#o.socket.resume();
    this.#heartbeat.release();
  }

  /** Begins to close, politely if the peer may still answer; the socket is the caller's to wait for. */
  leave(code: number, reason: string): WebSocket {
    const { socket } = this.#o;
    this.#isLeft = true;
    this.#heartbeat.stop();
    socket.removeAllListeners().on('error', () => {});
    if (socket.readyState === socket.OPEN) socket.close(code, reason);
    return socket;
  }

  #sendPing(): boolean {
    const isSent = this.send({ type: 'ping' });
    if (isSent) this.#unansweredPings += 1;
    return isSent;
  }

  #heard(): void {
    const isFirst = this.#heardAt === undefined;
    this.#heardAt = this.#o.clock.monotonic();
    this.#heartbeat.heard();
    if (!isFirst) return;
    this.#o.onProven();
    if (this.#isPaused && !this.#isLeft) this.#hold();
  }

  #hold(): void {
    this.#o.socket.pause();
    this.#heartbeat.hold();
  }

  #dead(): void {
    this.#o.socket.removeAllListeners().on('error', () => {});
    this.#o.socket.terminate();
    const reason = `no frame within ${SILENCE_LIMIT_MS / 1000} s of a ping`;
    this.#o.onEnd({ code: 1006, reason, ending: { kind: 'code', code: 1006 } });
  }
}
