import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { frameSchema, PROBE_HEADER } from '../../protocol/wire.ts';
import type { Clock } from '../../util/Clock.ts';
import type { HubFrame } from './EdgeSockets.ts';
import type { EdgeTelemetry } from './EdgeTelemetry.ts';

/** A look takes a second; what stays open longer was forgotten, ms. */
const LIFE_MS = 15_000;
/** A look takes an ack and a few pings; who sends more is no doctor. */
const MAX_FRAMES = 20;
/** How long a peer may take over the closing handshake, ms. */
const CLOSE_MS = 1_000;

/** Whether a request is a look by the doctor: it takes no commands and leaves no trace in the store. */
export function isProbe(headers: Readonly<Record<string, unknown>>): boolean {
  return headers[PROBE_HEADER.toLowerCase()] !== undefined;
}

/**
 * The sockets of the doctor, beside those of the agents: none replaces an agent's, and none gets its commands. Each is
 * greeted, gets one command of type `probe`, and a pong for each ping that comes after its ack was read.
 */
export class ProbeSockets {
  readonly #clock: Clock;
  readonly #telemetry: EdgeTelemetry;
  readonly #open = new Set<WebSocket>();

  constructor(o: { clock: Clock; telemetry: EdgeTelemetry }) {
    this.#clock = o.clock;
    this.#telemetry = o.telemetry;
  }

  attach(agentId: string, ws: WebSocket): void {
    const commandId = `probe_${randomUUID()}`;
    const life = this.#clock.after(LIFE_MS, () => this.#close(ws, 1000, 'probe over'));
    let frames = 0;
    this.#open.add(ws);
    ws.on('message', (bytes, isBinary) => {
      if (++frames > MAX_FRAMES) return this.#close(ws, 1013, 'too many frames');
      const frame = frameSchema.safeParse(isBinary ? undefined : parsed(String(bytes)));
      if (frame.success && frame.data.type === 'ping') write(ws, { type: 'pong' });
    });
    ws.on('error', () => ws.terminate());
    ws.on('close', () => {
      life.cancel();
      this.#open.delete(ws);
    });
    this.#telemetry.probed(agentId);
    write(ws, { type: 'connected', data: { message: 'WebSocket connected', probe: true } });
    write(ws, { type: 'command', data: { command_id: commandId, command_type: 'probe', payload: {} } });
  }

  closeAll(code: number, reason: string): void {
    for (const ws of this.#open) this.#close(ws, code, reason);
  }

  #close(ws: WebSocket, code: number, reason: string): void {
    ws.close(code, reason);
    const timer = this.#clock.after(CLOSE_MS, () => ws.terminate());
    ws.once('close', () => timer.cancel());
  }
}

function write(ws: WebSocket, frame: HubFrame): void {
  if (ws.readyState === ws.OPEN) ws.send(JSON.stringify(frame));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
