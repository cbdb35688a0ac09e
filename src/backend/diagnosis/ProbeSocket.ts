import { WebSocket } from 'ws';
import { type AgentFrame, commandSchema, greetingSchema, MAX_BODY_BYTES } from '../../protocol/wire.ts';
import type { Clock } from '../../util/Clock.ts';
import { KEPT_BODY_CHARACTERS } from '../BackendError.ts';
import type { Network } from '../network/Network.ts';
import { readFrame } from '../readFrame.ts';
import { readAnswer } from './request.ts';
import type { Received } from './Step.ts';

/** How long the closing handshake may take, ms. */
const CLOSE_MS = 500;
/** More of a refusal than is shown, characters, so that an echoed secret is whole and found. */
const READ_BODY_CHARACTERS = 16 * KEPT_BODY_CHARACTERS;

/** A WebSocket to look with: keeps count of what came, and takes no command but the one that is meant for it. */
export class ProbeSocket {
  readonly #ws: WebSocket;
  readonly #clock: Clock;
  #changed: (() => void) | undefined;
  /** How it ended: a refusal, a close or an error; undefined while it is open. */
  ended: Received | undefined;
  isOpen = false;
  frames = 0;
  #pings = 0;
  #pongs = 0;
  /** Commands for the agent, which are left: without an ack the backend offers them again. */
  commands = 0;
  /** Whether the backend greeted this as a look by the doctor. */
  isProbe = false;
  /** The id of the command that is meant for the doctor. */
  probeId: string | undefined;

  constructor(o: { url: string; headers: Record<string, string>; network: Network; clock: Clock }) {
    this.#clock = o.clock;
    this.#ws = new WebSocket(o.url, {
      ...o.network.socketOptions(new URL(o.url)),
      headers: o.headers,
      perMessageDeflate: false,
      maxPayload: MAX_BODY_BYTES,
    });
  }

  /** Listens; nothing is lost when it is called right after the constructor. `failed` reads an error's meaning. */
  listen(failed: (error: Error) => Received['error']): void {
    const ws = this.#ws;
    const end = (received: Received) => {
      this.ended ??= received;
      this.#changed?.();
    };
    ws.on('open', () => {
      this.isOpen = true;
      this.#changed?.();
    });
    ws.on('message', (raw, isBinary) => {
      this.frames += 1;
      const frame = readFrame(raw, isBinary);
      if ('type' in frame) this.#take(frame.type, frame.data);
      this.#changed?.();
    });
    ws.on('close', (code, reason) => end({ close: { code, reason: reason.toString() } }));
    ws.on('error', (error) => end({ error: failed(error) }));
    ws.on('unexpected-response', (_request, response) => {
      readAnswer(response, { characters: READ_BODY_CHARACTERS, endsWithin: this.#clock }, (answer) => {
        end(answer);
        ws.terminate();
      });
    });
  }

  /** Resolves as soon as `isSo` holds or the socket has ended; never by itself when `signal` aborts first. */
  until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isSo() && !this.ended && !signal.aborted) return;
        this.#changed = undefined;
        resolve();
      };
      this.#changed = look;
      look();
    });
  }

  ping(): void {
    this.#pings += 1;
    this.send({ type: 'ping' });
  }

  /** Whether each ping has its pong. */
  get isAnswered(): boolean {
    return this.#pongs >= this.#pings;
  }

  send(frame: AgentFrame): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(JSON.stringify(frame));
  }

  /** Leaves, politely where it is open. Resolves when nothing is left of it. */
  async close(wait: (ms: number) => Promise<void>): Promise<void> {
    const ws = this.#ws;
    if (ws.readyState === ws.CLOSED) return;
    const closed = new Promise<void>((resolve) => void ws.once('close', () => resolve()));
    if (ws.readyState === ws.OPEN) {
      ws.close(1000, 'doctor done');
      await Promise.race([closed, wait(CLOSE_MS)]);
    }
    ws.terminate();
  }

  #take(type: string, data: unknown): void {
    if (type === 'pong') this.#pongs += 1;
    if (type === 'connected') this.isProbe = greetingSchema.safeParse(data).data?.probe ?? false;
    if (type !== 'command') return;
    const command = commandSchema.safeParse(data);
    if (this.isProbe && command.data?.command_type === 'probe') this.probeId = command.data.command_id;
    else this.commands += 1;
  }
}
