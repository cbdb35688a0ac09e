import type { WebSocket } from 'ws';
import type { AgentFrame } from '../protocol/wire.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Random } from '../util/Random.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { withoutSecret } from '../util/withoutSecret.ts';
import { Connection, type ConnectionEnd } from './Connection.ts';
import type { Ending } from './connectionPolicy.ts';
import { Dialler } from './Dialler.ts';
import type { SocketFactory } from './dial.ts';
import { dispatchFrame, type FrameHandlers } from './dispatchFrame.ts';
import { LeavingSockets } from './LeavingSockets.ts';
import type { Network } from './network/Network.ts';
import { type EndingDetails, Outage, type WaitPlan } from './Outage.ts';
import type { SocketStatus } from './SocketStatus.ts';

/** A connection that lasted this long was a good one: the count of failures starts again, ms. Fixed by the protocol. */
const LASTING_MS = 30_000;

export interface WebSocketClientOptions {
  /** `ws(s)://…/edge/ws` without the query. */
  url: string;
  agentId: string;
  secret(): string | undefined;
  /** Called after 401, 403 and 4001, and while there is none: read the secret again before the next attempt. */
  refreshSecret(): void;
  pingIntervalSeconds: number;
  network: Network;
  clock: Clock;
  random: Random;
  telemetry: Telemetry;
  onUp(): void;
  /** The connection that onUp told of is lost. Not called by stop(). */
  onDown(): void;
  /** `data` of a command frame, unchecked, and the length of the frame. */
  onCommand(raw: unknown, bytes: number): void;
  /** `data` of a config_update frame, unchecked. */
  onConfigUpdate(raw: unknown): void;
  onPong(): void;
  /** Frames that are too large for the socket come again and again (true), or no longer (false). */
  onLargeFrames(areComing: boolean, detail: string): void;
  createSocket?: SocketFactory;
}

interface Wait {
  name: 'waiting' | 'halted';
  timer: Timer;
  /** Monotonic, ms. */
  until: number;
  /** The backend asked for this wait; a wake does not end it. */
  isAsked: boolean;
}
type State =
  | { name: 'stopped' }
  | { name: 'connecting'; cancelDial(): WebSocket | undefined }
  | { name: 'live'; lasting: Timer }
  | Wait;

/**
 * The connection for commands, made again without end.
 *
 *     stopped ── start() ──▶ connecting ── first frame ──▶ live
 *        ▲                    ▲ │    │ ▲                    │
 *        │        delay over, │ │    │ │ delay over, woke,  │
 *        │               woke │ ▼    ▼ │ other secret       │
 *     stop(), from          waiting  halted                 │
 *     any state               ▲         ▲                   │
 *              lost, drained, │         │ 401, 403, 4001,   │
 *              not answered   └─────────┴ other key, ───────┘
 *                                         no secret
 *
 * `connecting` lasts from the dial to the first frame after the handshake: a proxy with nothing behind it accepts
 * everything, and a backend may say only after the handshake, with 4001, that it does not take the secret. A ping goes
 * out at once, so that a backend that says nothing by itself has a reason to; without a frame it is over after 10 s.
 *
 * connectionPolicy.ts says what follows which end. `halted` is a wait of 60 s which another secret ends at once;
 * neither lasts for ever. Whatever the state, a wake of the machine begins a new connection at once (a wait the
 * backend asked for goes on): the socket of before may look open and lead nowhere.
 *
 * A command that cannot be stored (refuse(), or onCommand throws EDGE_STATE_FULL, EDGE_STATE_BUSY or
 * EDGE_COMMANDS_FULL) closes the connection with 1013: nothing after it is read, so that the backend, which got no ack,
 * offers it again in order. Whatever else a callback throws is reported, and the connection goes on.
 */
export class WebSocketClient {
  readonly #o: WebSocketClientOptions;
  readonly #leaving: LeavingSockets;
  readonly #dialler: Dialler;
  readonly #outage: Outage;
  #state: State = { name: 'stopped' };
  /** Open; proven when the state is `live`. */
  #connection: Connection | undefined;
  #isPaused = false;
  #secret: string | undefined;
  #roundTripMs: number | undefined;

  constructor(options: WebSocketClientOptions) {
    this.#o = options;
    const { agentId, clock, random, telemetry } = options;
    this.#leaving = new LeavingSockets({ clock });
    this.#dialler = new Dialler(options);
    this.#outage = new Outage({
      agentId,
      random,
      telemetry,
      onLargeFrames: (...change) => this.#call(() => options.onLargeFrames(...change)),
    });
  }

  get isUp(): boolean {
    return this.#state.name === 'live';
  }

  get status(): SocketStatus {
    const state = this.#state;
    return {
      state: state.name,
      roundTripMs: this.#roundTripMs,
      lastFrameAgeMs: this.#connection?.lastFrameAgeMs,
      nextDialInMs: 'until' in state ? Math.max(0, state.until - this.#o.clock.monotonic()) : undefined,
      failures: this.#outage.failures,
      lastProblem: this.#outage.lastProblem,
    };
  }

  start(): void {
    if (this.#state.name === 'stopped') this.#connect();
  }

  /** Closes with 1001. Resolves when no socket is left, within 2 s; no callback is called any more. */
  async stop(): Promise<void> {
    this.#leave(1001, 'agent stopping');
    this.#state = { name: 'stopped' };
    await this.#leaving.allClosed();
  }

  /** False when the frame could not be handed to a live socket. True does not mean that it arrived. */
  send(frame: AgentFrame): boolean {
    return this.isUp && this.#connection?.send(frame) === true;
  }

  /** False when no ping could be handed to a live socket. */
  ping(): boolean {
    return this.isUp && this.#connection?.ping() === true;
  }

  /** Of the open connection. */
  get unansweredPings(): number {
    return this.#connection?.unansweredPings ?? 0;
  }

  /** The machine slept: another socket, whatever this one says of itself. */
  renew(): void {
    const { name } = this.#state;
    if (name === 'stopped' || ('until' in this.#state && this.#state.isAsked)) return;
    const isOpen = this.#connection !== undefined;
    if (name === 'connecting' && !isOpen) this.#dialler.abandoned();
    this.#leave(1001, 'agent slept')?.terminate();
    if (isOpen) this.#o.telemetry.websocketClosed(1006, 'replaced after a sleep');
    this.#outage.startOver();
    this.#connect();
    if (name === 'live') this.#call(() => this.#o.onDown());
  }

  /** A wait that rested on the secret ends. */
  secretChanged(): void {
    if (this.#state.name !== 'halted') return;
    this.#state.timer.cancel();
    this.#connect();
  }

  /** Gives the open connection up: what came by it cannot be stored, and comes again, in order, by the next one. */
  refuse(code: ErrorCode): void {
    if (this.#connection) this.#ended({ code: 1013, reason: `not taken in: ${code}`, ending: { kind: 'error', code } });
  }

  /** Stops reading, on this connection and those to come, until resume(): the kernel then slows the backend down. */
  pause(): void {
    this.#isPaused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#connection?.resume();
  }

  #connect(): void {
    this.#secret = this.#o.secret();
    if (!this.#secret) {
      this.#o.refreshSecret();
      this.#wait(this.#outage.waitWithoutSecret());
      return;
    }
    const cancelDial = this.#dialler.dial(this.#secret, {
      opened: (socket) => this.#opened(socket),
      failed: (ending, details, socket) => {
        if (socket) this.#leaving.add(socket);
        this.#reconnect(ending, details);
      },
    });
    this.#state = { name: 'connecting', cancelDial };
  }

  #opened(socket: WebSocket): void {
    const { clock, pingIntervalSeconds, telemetry } = this.#o;
    this.#outage.opened();
    const handlers: FrameHandlers = {
      command: (raw, bytes) => this.#call(() => this.#o.onCommand(raw, bytes)),
      configUpdate: (raw) => this.#call(() => this.#o.onConfigUpdate(raw)),
      pong: () => {
        this.#roundTripMs = connection.answered();
        telemetry.websocketPong(this.#roundTripMs);
        this.#call(() => this.#o.onPong());
      },
      drain: (askedMs) => this.#drain(askedMs),
      greeted: (spreadMs) => this.#outage.greeted(spreadMs),
    };
    const connection = new Connection({
      socket,
      clock,
      pingIntervalMs: pingIntervalSeconds * 1000,
      onProven: () => this.#proven(),
      onFrame: (...frame) => dispatchFrame(...frame, telemetry, handlers),
      onError: (error) => telemetry.websocketError(this.#clean(messageOf(error))),
      onEnd: (end) => this.#ended(end),
    });
    this.#connection = connection;
    this.#state = { name: 'connecting', cancelDial: () => undefined };
    if (this.#isPaused) connection.pause();
    connection.start();
  }

  #proven(): void {
    const lasting = this.#o.clock.after(LASTING_MS, () => this.#outage.lasted());
    this.#state = { name: 'live', lasting };
    this.#o.telemetry.websocketConnected();
    this.#call(() => this.#o.onUp());
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

  #drain(askedMs: number): void {
    this.#o.telemetry.websocketDraining(askedMs);
    this.#leave(1000, 'drained');
    this.#o.telemetry.websocketClosed(1000, 'drained');
    this.#wait(this.#outage.waitAfterDrain(askedMs));
    this.#call(() => this.#o.onDown());
  }

  /** The end of an open connection; `code` and `reason` are ours if we end it. */
  #ended({ code, reason, ending }: ConnectionEnd): void {
    const wasUp = this.isUp;
    const text = this.#clean(reason);
    this.#leave(code, text);
    this.#o.telemetry.websocketClosed(code, text);
    this.#outage.closed(ending);
    this.#reconnect(ending, { text: `closed with ${code}: ${text || 'no reason'}`, body: text });
    if (wasUp) this.#call(() => this.#o.onDown());
  }

  #reconnect(ending: Ending, details: EndingDetails): void {
    const plan = this.#outage.waitAfter(ending, details);
    if (plan.rereadsSecret && this.#hasOtherSecret()) this.#connect();
    else this.#wait(plan);
  }

  #hasOtherSecret(): boolean {
    this.#o.refreshSecret();
    const secret = this.#o.secret();
    return secret !== undefined && secret !== this.#secret;
  }

  #wait({ state: name, ms, isAsked }: WaitPlan): void {
    const { clock, telemetry } = this.#o;
    telemetry.websocketRetryIn(ms);
    const timer = clock.after(ms, () => this.#connect());
    this.#state = { name, timer, until: clock.monotonic() + ms, isAsked };
  }

  /** Ends whatever the state began. From here on the socket, which is returned, is heard by nobody. */
  #leave(code: number, reason: string): WebSocket | undefined {
    const state = this.#state;
    if ('timer' in state) state.timer.cancel();
    if ('lasting' in state) state.lasting.cancel();
    const dialled = state.name === 'connecting' ? state.cancelDial() : undefined;
    const socket = this.#connection?.leave(code, reason) ?? dialled;
    this.#connection = undefined;
    if (socket) this.#leaving.add(socket);
    return socket;
  }

  #clean(text: string): string {
    return withoutSecret(text, this.#secret);
  }
}
