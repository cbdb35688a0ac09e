import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Hub, type HubOptions } from '../../src/hub/Hub.ts';
import type { Logger } from '../../src/util/Logger.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';

export const AGENT = 'edge_15550100001';
export const SECRET = randomBytes(16).toString('hex');
export const ADMIN = randomBytes(16).toString('hex');

export interface WireCommand {
  command_id: string;
  command_type: string;
  payload: Record<string, unknown>;
  priority: string;
  timestamp: string;
}

/** Every field that some answer of the hub has. */
export interface WireAnswer {
  error: string;
  should_respond: boolean;
  reply_bubbles: string[];
  reflex_command_id?: string;
  reflex_delivered?: string;
  commands: WireCommand[];
  ack_events: string[];
  command_id: string;
  state: string;
}

export interface Called {
  status: number;
  json: WireAnswer;
  text: string;
}

interface Frame {
  type: string;
  data: WireCommand;
}

export interface TestHub {
  hub: Hub;
  dbPath: string;
  /** Requests as the agent; `body` is sent as JSON unless it is a string. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Called>;
  admin(path: string, body?: unknown, headers?: Record<string, string>): Promise<Called>;
  connect(o?: { agentId?: string; headers?: Record<string, string>; path?: string }): Promise<TestSocket>;
}

/** A hub on a free port with a database of its own, stopped when the test is over. */
export async function startHub(options: Partial<HubOptions> = {}): Promise<TestHub> {
  const dbPath = options.dbPath ?? join(tempDir(), 'hub.db');
  const hub = Hub.create({ secrets: [SECRET], adminToken: ADMIN, limits: 'off', drainMs: 500, ...options, dbPath });
  await hub.start();
  onTestFinished(() => hub.stop().catch(() => {}));
  const call = async (path: string, body: unknown, headers: Record<string, string>) => {
    const response = await fetch(hub.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: JSON.parse(text) as WireAnswer, text };
  };
  return {
    hub,
    dbPath,
    post: (path, body, headers = {}) => call(path, body, { ...identity(AGENT), ...headers }),
    admin: (path, body, headers = {}) => call(path, body, { Authorization: `Bearer ${ADMIN}`, ...headers }),
    connect: (o = {}) => TestSocket.open(hub, o),
  };
}

export function identity(agentId: string, secret = SECRET): Record<string, string> {
  return { Authorization: `Bearer ${secret}`, 'X-Edge-Agent-Id': agentId };
}

/** A body of POST /edge/message. */
export function message(text: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    thread_id: '+15550100002',
    sender: '+15550100002',
    filtered_text: text,
    message_guid: `guid-${randomBytes(4).toString('hex')}`,
    is_group: false,
    participants: ['+15550100002'],
    ...fields,
  };
}

/** The agent's end of a WebSocket. */
export class TestSocket {
  readonly ws: WebSocket;
  readonly frames: Frame[] = [];
  closed: { code: number; reason: string } | undefined;
  refused: { status: number; body: string; retryAfter: string | undefined } | undefined;

  constructor(ws: WebSocket) {
    this.ws = ws;
  }

  static async open(
    hub: Hub,
    o: { agentId?: string; headers?: Record<string, string>; path?: string },
  ): Promise<TestSocket> {
    const agentId = o.agentId ?? AGENT;
    const path = o.path ?? `/edge/ws?edge_agent_id=${encodeURIComponent(agentId)}`;
    const ws = new WebSocket(hub.url.replace('http', 'ws') + path, { headers: o.headers ?? identity(agentId) });
    const socket = new TestSocket(ws);
    ws.on('message', (bytes) => socket.frames.push(JSON.parse(String(bytes))));
    ws.on('close', (code, reason) => {
      socket.closed = { code, reason: String(reason) };
    });
    ws.on('error', () => {});
    ws.on('unexpected-response', (request, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => {
        socket.refused = { status: response.statusCode!, body, retryAfter: response.headers['retry-after'] };
        request.destroy();
      });
    });
    onTestFinished(() => ws.terminate());
    await waitFor('the handshake to end', () => socket.frames.length > 0 || socket.closed || socket.refused);
    return socket;
  }

  get commands(): WireCommand[] {
    return this.frames.filter((frame) => frame.type === 'command').map((frame) => frame.data);
  }

  send(frame: unknown): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  ack(commandId: string, fields: Record<string, unknown> = { success: true, error: null, status: 'completed' }): void {
    this.send({ type: 'command_ack', data: { command_id: commandId, ...fields } });
  }

  /** A ping and its pong: what was sent before has been dealt with then. */
  async roundTrip(): Promise<void> {
    const before = this.frames.filter((frame) => frame.type === 'pong').length;
    this.send({ type: 'ping' });
    await waitFor('a pong', () => this.frames.filter((frame) => frame.type === 'pong').length > before || this.closed);
  }
}

/** A logger that keeps its lines. */
export function recordingLogger(): { logger: Logger; lines: string[]; fields: unknown[] } {
  const lines: string[] = [];
  const fields: unknown[] = [];
  const at =
    (level: string) =>
    (text: string, ...args: unknown[]) => {
      lines.push(`${level} ${text}`);
      fields.push(...args);
    };
  return { logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines, fields };
}
