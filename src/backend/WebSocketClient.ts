import type { RawData, WebSocket } from 'ws';
import { type AgentFrame, MAX_BODY_BYTES } from '../protocol/wire.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { KEPT_BODY_CHARACTERS } from './BackendError.ts';
import { closePolicy, type Ending, type Reconnection } from './closePolicy.ts';
import { type DialFailure, dial, type SocketFactory } from './dial.ts';
import { Heartbeat, SILENCE_LIMIT_MS } from './Heartbeat.ts';
import type { Network } from './network/Network.ts';
import { readFrame } from './readFrame.ts';
import { reconnectDelayMs } from './reconnectDelay.ts';
import { withoutSecret } from './withoutSecret.ts';

/** A connection that lasted this long was a good one: the count of failures starts again, ms. Fixed by the protocol. */
const LASTING_MS = 30_000;
/** What stop() waits at most for the peer and the kernel, ms. */
const STOP_LIMIT_MS = 1500;
/** What may wait unsent in a socket before send() refuses, bytes; acks then take the way by HTTP. */
const MAX_UNSENT_BYTES = MAX_BODY_BYTES;
/** How much of an unknown frame's type is shown, characters. */
const MAX_SHOWN_TYPE = 64;

export interface WebSocketClientOptions {
  /** `ws(s)://…/edge/ws` without the query. */
  url: string;
  agentId: string;
  secret(): string | undefined;
  /** Called after 401, 403 and 4001: read the secret again before the next attempt. */
  refreshSecret(): void;
  pingIntervalSeconds: number;
  network: Network;
  clock: Clock;
  random: Random;
  telemetry: Telemetry;
  onUp(): void;
  /** The connection that onUp told of is lost. Not called by stop(). */
  onDown(): void;
  /** `data` of a command frame, unchecked. */
  onCommand(raw: unknown): void;
  /** `data` of a config_update frame, unchecked. */
  onConfigUpdate(raw: unknown): void;
  onPong(): void;
  createSocket?: SocketFactory;
}

interface Live {
  name: 'live';
  socket: WebSocket;
  heartbeat: Heartbeat;
  /** Runs until the connection has lasted. */
  lasting: Timer;
}
type State =
  | { name: 'stopped' }
  | { name: 'connecting'; socket: WebSocket; cancel(): void }
  | Live
  | { name: 'waiting'; timer: Timer };

/**
 * The connection for commands, made again without end.
 *
 *     stopped ── start() ──▶ connecting ── open ──▶ live
 *        ▲                    │      ▲               │
 *        │           refused, │      │ delay over,   │ closed, silent, or a
 *        │   failed, 10 s over│      │ or test()     │ command cannot be stored
 *     stop(), from            ▼      │               │
 *     any state              waiting ◀───────────────┘
 *
 * Without a secret `connecting` is skipped: `waiting` begins at once.
 * closePolicy.ts says how long `waiting` lasts. `live` begins with the handshake; the first ping goes out at once.
 *
 * A command that cannot be stored (refuse(), or onCommand throws EDGE_STATE_FULL, EDGE_STATE_BUSY or EDGE_COMMANDS_FULL) closes the
 * connection with 1013 and reconnects by back-off: nothing after it is read, so that the backend, which got no ack,
 * offers it again in order. Whatever else a callback throws is reported, and the connection goes on.
 */
export class WebSocketClient {
  readonly #o: WebSocketClientOptions;
  #state: State = { name: 'stopped' };
  #failures = 0;
  #paused = false;
  #secret: string | undefined;
  /** Sockets given up but not closed yet. */
  readonly #leaving = new Set<WebSocket>();

  constructor(options: WebSocketClientOptions) {
    this.#o = options;
  }

  get isUp(): boolean {
    return this.#state.name === 'live';
  }

  start(): void {
    if (this.#state.name === 'stopped') this.#connect();
  }

  /** Closes with 1001. Resolves when no socket is left, within 2 s; no callback is called any more. */
  async stop(): Promise<void> {
    const state = this.#state;
    this.#state = { name: 'stopped' };
    if (state.name === 'waiting') state.timer.cancel();
    if (state.name === 'connecting') {
      state.cancel();
      this.#leave(state.socket);
    }
    if (state.name === 'live') this.#leaveLive(state, 1001, 'agent stopping');
    await this.#allClosed();
  }

  /** False when the frame could not be handed to a live socket. True does not mean that it arrived. */
  send(frame: AgentFrame): boolean {
    if (this.#state.name !== 'live') return false;
    const { socket } = this.#state;
    if (socket.readyState !== socket.OPEN || socket.bufferedAmount > MAX_UNSENT_BYTES) return false;
    socket.send(JSON.stringify(frame));
    return true;
  }

  ping(): void {
    if (this.#state.name === 'live') this.#state.heartbeat.ping();
  }

  /** After a sleep: a live connection has 10 s to prove itself, and a wait ends now. */
  test(): void {
    this.ping();
    if (this.#state.name !== 'waiting') return;
    this.#state.timer.cancel();
    this.#connect();
  }

  /** Gives the live connection up, with 1013: what came by it cannot be stored. */
  refuse(code: ErrorCode): void {
    this.#closed(1013, `not taken in: ${code}`, { kind: 'error', code });
  }

  /** Stops reading, on this connection and those to come, until resume(): the kernel then slows the backend down. */
  pause(): void {
    this.#paused = true;
    if (this.#state.name === 'live') this.#hold(this.#state);
  }

  resume(): void {
    this.#paused = false;
    if (this.#state.name !== 'live') return;
    this.#state.socket.resume();
    this.#state.heartbeat.release();
  }

  #connect(): void {
    const { agentId, clock, createSocket, telemetry } = this.#o;
    this.#secret = this.#o.secret();
    if (!this.#secret) {
      telemetry.failure('EDGE_SECRET_MISSING', 'the WebSocket was not opened: there is no secret');
      this.#o.refreshSecret();
      this.#wait({ delay: 'slow' });
      return;
    }
    const url = `${this.#o.url}?edge_agent_id=${encodeURIComponent(agentId)}`;
    telemetry.websocketConnecting(url);
    try {
      const { socket, cancel } = dial({
        url,
        headers: { Authorization: `Bearer ${this.#secret}`, 'X-Edge-Agent-Id': agentId },
        clock,
        network: this.#o.network.socketOptions(new URL(url)),
        createSocket,
        onOpen: (opened) => this.#opened(opened),
        onFailed: (failure) => this.#failed(socket, failure),
      });
      this.#state = { name: 'connecting', socket, cancel };
    } catch (error) {
      telemetry.websocketError(this.#clean(messageOf(error)));
      this.#wait({ delay: 'backoff' });
    }
  }

  #failed(socket: WebSocket, { message, ending, body, retryAfterMs }: DialFailure): void {
    this.#leave(socket);
    this.#o.telemetry.websocketError(this.#clean(message));
    this.#ended(ending, body, retryAfterMs);
  }

  #opened(socket: WebSocket): void {
    const { clock, pingIntervalSeconds, telemetry } = this.#o;
    const heartbeat = new Heartbeat({
      clock,
      intervalMs: pingIntervalSeconds * 1000,
      sendPing: () => this.send({ type: 'ping' }),
      onDead: () => {
        socket.terminate();
        this.#closed(1006, `no frame within ${SILENCE_LIMIT_MS / 1000} s of a ping`, { kind: 'code', code: 1006 });
      },
    });
    const lasting = clock.after(LASTING_MS, () => {
      this.#failures = 0;
    });
    const state: Live = { name: 'live', socket, heartbeat, lasting };
    this.#state = state;
    this.#listen(state);
    telemetry.websocketConnected();
    if (this.#paused) this.#hold(state);
    heartbeat.start();
    this.#call(() => this.#o.onUp());
  }

  #listen({ socket, heartbeat }: Live): void {
    let errorCode: string | undefined;
    socket.on('message', (raw, isBinary) => {
      heartbeat.heard();
      this.#frame(raw, isBinary, heartbeat);
    });
    socket.on('ping', () => heartbeat.heard());
    socket.on('pong', () => heartbeat.heard());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      errorCode = error.code ?? 'EUNKNOWN';
      this.#o.telemetry.websocketError(this.#clean(messageOf(error)));
    });
    socket.on('close', (code, reason) => {
      const ending: Ending = errorCode ? { kind: 'error', code: errorCode } : { kind: 'code', code };
      this.#closed(code, reason.toString(), ending);
    });
  }

  #frame(raw: RawData, isBinary: boolean, heartbeat: Heartbeat): void {
    const { telemetry } = this.#o;
    const frame = readFrame(raw, isBinary);
    if ('refused' in frame) telemetry.frameRefused('EDGE_FRAME_INVALID', frame.refused);
    else if (frame.type === 'command') this.#call(() => this.#o.onCommand(frame.data));
    else if (frame.type === 'config_update') this.#call(() => this.#o.onConfigUpdate(frame.data));
    else if (frame.type === 'pong') {
      telemetry.websocketPong(heartbeat.sincePing());
      this.#call(() => this.#o.onPong());
    } else telemetry.frameIgnored(frame.type.slice(0, MAX_SHOWN_TYPE));
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      const code = codeOf(error, 'EDGE_INTERNAL');
      this.#o.telemetry.failure(code, messageOf(error));
      if (code === 'EDGE_COMMANDS_FULL' || isStoreUnwilling(error)) this.refuse(code);
    }
  }

  /** The end of a live connection; `code` and `reason` are ours if we end it. */
  #closed(code: number, reason: string, ending: Ending): void {
    if (this.#state.name !== 'live') return;
    const clean = this.#clean(reason);
    this.#leaveLive(this.#state, code, clean);
    this.#o.telemetry.websocketClosed(code, clean);
    this.#ended(ending, clean, undefined);
    this.#call(() => this.#o.onDown());
  }

  #ended(ending: Ending, body: string, retryAfterMs: number | undefined): void {
    const next = closePolicy(ending);
    if (next.explain) this.#explain(ending, next.explain, this.#clean(body).slice(0, KEPT_BODY_CHARACTERS));
    if (next.secretRefused) this.#o.refreshSecret();
    this.#wait(next, next.obeysRetryAfter ? retryAfterMs : undefined);
  }

  #explain(ending: Ending, { likelyCause, check }: NonNullable<Reconnection['explain']>, body: string): void {
    if (ending.kind === 'error') {
      this.#o.telemetry.frameRefused('EDGE_FRAME_INVALID', `${likelyCause} ${check}`);
      return;
    }
    const status = ending.kind === 'code' ? ending.code : ending.status;
    const sent = `Sent: Authorization: Bearer [secret], X-Edge-Agent-Id: ${this.#o.agentId}`;
    this.#o.telemetry.websocketRefused({ status, body, likelyCause, check: `${check} ${sent}` });
  }

  #wait({ delay }: Reconnection, retryAfterMs?: number): void {
    this.#failures += 1;
    const ms = reconnectDelayMs(delay, { failures: this.#failures, retryAfterMs, random: this.#o.random });
    this.#o.telemetry.websocketRetryIn(ms);
    this.#state = { name: 'waiting', timer: this.#o.clock.after(ms, () => this.#connect()) };
  }

  #hold({ socket, heartbeat }: Live): void {
    socket.pause();
    heartbeat.hold();
  }

  #leaveLive({ socket, heartbeat, lasting }: Live, code: number, reason: string): void {
    heartbeat.stop();
    lasting.cancel();
    this.#leave(socket);
    if (socket.readyState === socket.OPEN) socket.close(code, reason);
  }

  /** From here on the socket is heard by nobody; it stays in `#leaving` until it is closed. */
  #leave(socket: WebSocket): void {
    socket.removeAllListeners().on('error', () => {}); // an error of a socket that was given up changes nothing
    if (socket.readyState === socket.CLOSED) return;
    this.#leaving.add(socket);
    socket.once('close', () => this.#leaving.delete(socket));
    if (socket.readyState === socket.CONNECTING) socket.terminate();
  }

  async #allClosed(): Promise<void> {
    if (this.#leaving.size === 0) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        limit.cancel();
        resolve();
      };
      const limit = this.#o.clock.after(STOP_LIMIT_MS, () => {
        for (const socket of this.#leaving) socket.terminate();
        resolve();
      });
      for (const socket of this.#leaving) socket.once('close', () => this.#leaving.size === 0 && done());
    });
  }

  #clean(text: string): string {
    return withoutSecret(text, this.#secret);
  }
}
