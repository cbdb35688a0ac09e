import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { stringify } from 'yaml';
import { Hub, type HubOptions } from '../../src/hub/Hub.ts';
import { SimulatedMac, type SimulatedMacOptions } from '../../src/simulator/SimulatedMac.ts';
import { AgentProcess } from './AgentProcess.ts';
import { FaultProxy } from './FaultProxy.ts';

/** For a start that hangs, ms: where many start at once on a busy machine, each takes half as long. */
const START_MS = 50_000;

export interface RigOptions {
  /** A folder of the rig's own. */
  dir: string;
  mac?: Omit<SimulatedMacOptions, 'dir'>;
  hub?: Omit<HubOptions, 'dbPath' | 'secrets' | 'adminToken'>;
  /** Merged over the generated config.yaml, section by section. */
  config?: Record<string, Record<string, unknown>>;
  /** Run the compiled agent, as an installation does. @default false */
  compiled?: boolean;
  /** HTTP goes through a cable of its own, `httpCable`, and not straight. @default false */
  httpCable?: boolean;
  /** Both cables show the agent this certificate, and its URLs are https: and wss:. */
  tls?: SecureContextOptions;
  /** The host in the agent's URLs of the cables. @default '127.0.0.1' */
  host?: string;
  /** More of the agent's environment. */
  env?: NodeJS.ProcessEnv;
  /** Arguments of Node before the program. */
  nodeArgs?: string[];
  /** A program and its arguments that the agent is started by, e.g. strace. */
  wrapper?: string[];
  /** How many times longer the agent may take to be ready. @default 1 */
  patience?: number;
}

export const AGENT_ID = 'edge_15550100001';
/** What guards an Apple ID would only slow a test down. */
const UNLIMITED = { per_minute: 0, per_hour: 0, new_threads_per_day: 0 };

/**
 * The whole system on one machine: a hub, a simulated Mac, and the real agent as a process of its own. The WebSocket
 * goes through a cable that can be cut; HTTP goes straight, or through a cable of its own.
 */
export class Rig {
  readonly options: RigOptions;
  readonly secret = randomBytes(24).toString('base64url');
  readonly adminToken = randomBytes(24).toString('base64url');
  readonly mac: SimulatedMac;
  hub: Hub;
  /** What the WebSocket goes through. */
  readonly cable: FaultProxy;
  readonly httpCable: FaultProxy;
  readonly agent: AgentProcess;
  #hubPort = 0;

  /** Builds the Mac, starts the hub, writes config.yaml. The agent is not started yet. */
  static async create(options: RigOptions): Promise<Rig> {
    mkdirSync(options.dir, { recursive: true });
    const mac = await SimulatedMac.create({ dir: join(options.dir, 'mac'), ...options.mac });
    return new Rig(options, mac).#prepare();
  }

  private constructor(options: RigOptions, mac: SimulatedMac) {
    this.options = options;
    this.mac = mac;
    this.hub = this.#makeHub(0);
    this.cable = new FaultProxy({ tls: options.tls });
    this.httpCable = new FaultProxy({ tls: options.tls });
    this.agent = new AgentProcess({
      configPath: this.path('config.yaml'),
      secret: this.secret,
      logPath: this.path('edge-agent.log'),
      stateDir: this.path('state'),
      compiled: options.compiled ?? false,
      ...(options.env && { env: options.env }),
      ...(options.nodeArgs && { nodeArgs: options.nodeArgs }),
      ...(options.wrapper && { wrapper: options.wrapper }),
      ...(options.patience !== undefined && { patience: options.patience }),
    });
  }

  path(name: string): string {
    return join(this.options.dir, name);
  }

  async #prepare(): Promise<this> {
    await this.hub.start();
    this.#hubPort = this.hub.port;
    for (const cable of [this.cable, this.httpCable]) {
      cable.target = this.#hubPort;
      await cable.start();
    }
    const host = this.options.host ?? '127.0.0.1';
    const s = this.options.tls ? 's' : '';
    const throughCable = this.options.httpCable || this.options.tls !== undefined;
    const config: Record<string, Record<string, unknown>> = {
      edge: { agent_id: AGENT_ID },
      backend: {
        url: throughCable ? `http${s}://${host}:${this.httpCable.port}` : this.hub.url,
        websocket_url: `ws${s}://${host}:${this.cable.port}`,
        sync_interval_seconds: 1,
      },
      imessage: { db_path: this.mac.chatDbPath, attachments_path: this.mac.attachmentsPath },
      attachments: { staging_dir: join(this.mac.attachmentsPath, 'edge-agent') },
      sending: { osascript_path: this.mac.osascriptPath, settle_seconds: 5, rate: UNLIMITED },
      logging: { file: this.path('edge-agent.log') },
      state: { dir: this.path('state') },
    };
    for (const [section, values] of Object.entries(this.options.config ?? {})) {
      config[section] = { ...config[section], ...values };
    }
    writeFileSync(this.path('config.yaml'), stringify(config));
    return this;
  }

  #makeHub(port: number): Hub {
    return Hub.create({
      limits: 'off',
      ...this.options.hub,
      port,
      dbPath: this.path('hub.db'),
      secrets: [this.secret],
      adminToken: this.adminToken,
    });
  }

  /** Stops the hub; another on the same port and database takes its place when `startHub` is called. */
  async stopHub(): Promise<void> {
    await this.hub.stop();
  }

  async startHub(): Promise<void> {
    this.hub = this.#makeHub(this.#hubPort);
    await this.hub.start();
  }

  /** Starts the agent and waits until it reads chat.db and, unless told otherwise, has its socket. */
  async startAgent(o: { withSocket?: boolean } = {}): Promise<void> {
    this.agent.start();
    await this.agent.ready((status) => status.chatdb.open && (status.websocket.up || o.withSocket === false), START_MS);
  }

  /** Asks the hub, as its operator, to give the agent a command. Returns the command_id. */
  async command(
    commandType: string,
    payload: Record<string, unknown>,
    o: { priority?: 'normal' | 'immediate'; commandId?: string } = {},
  ): Promise<string> {
    const response = await fetch(`${this.hub.url}/api/commands`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        edge_agent_id: AGENT_ID,
        command_type: commandType,
        payload,
        ...(o.priority && { priority: o.priority }),
        ...(o.commandId && { command_id: o.commandId }),
      }),
    });
    if (!response.ok) throw new Error(`the hub refused a command: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { command_id: string }).command_id;
  }

  /** The hub's view of a command. */
  async commandState(commandId: string): Promise<{ state: string; error: string | null; acks: { status: string }[] }> {
    const response = await fetch(`${this.hub.url}/api/commands/${encodeURIComponent(commandId)}`, {
      headers: { authorization: `Bearer ${this.adminToken}` },
    });
    return (await response.json()) as { state: string; error: string | null; acks: { status: string }[] };
  }

  /** The bubbles that a person's phone shows, in order. */
  bubblesTo(thread: string): string[] {
    return this.mac.messages.effects.filter(({ target }) => target.endsWith(thread)).map(({ text }) => text);
  }

  async close(): Promise<void> {
    await this.agent.kill('SIGKILL');
    await this.cable.stop();
    await this.httpCable.stop();
    await this.hub.stop();
    await this.mac.close();
  }
}
