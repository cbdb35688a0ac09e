import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { MAX_BODY_BYTES } from '../protocol/wire.ts';
import { type Clock, systemClock, type Timer } from '../util/Clock.ts';
import { messageOf } from '../util/EdgeError.ts';
import { type Logger, silentLogger } from '../util/Logger.ts';
import { adminRoutes } from './admin/adminRoutes.ts';
import type { CommandStore } from './commands/CommandStore.ts';
import { SqliteCommandStore } from './commands/SqliteCommandStore.ts';
import { Answers } from './edge/Answers.ts';
import { Credentials } from './edge/Credentials.ts';
import { Dispatcher } from './edge/Dispatcher.ts';
import { CLOSE_RESTART, EdgeSockets } from './edge/EdgeSockets.ts';
import { EdgeTelemetry } from './edge/EdgeTelemetry.ts';
import { edgeRoutes } from './edge/edgeRoutes.ts';
import { Handshake, type RejectForm } from './edge/Handshake.ts';
import type { HubObserver } from './edge/HubObserver.ts';
import { ProbeSockets } from './edge/ProbeSockets.ts';
import { DEFAULT_LIMITS, type EdgeLimits, RateLimits } from './edge/RateLimits.ts';
import { UploadFiles } from './edge/UploadFiles.ts';
import { EchoResponder } from './responders/EchoResponder.ts';
import { loadScript } from './responders/loadScript.ts';
import type { Responder } from './responders/Responder.ts';
import { ScriptResponder } from './responders/ScriptResponder.ts';

const SWEEP_MS = 1_000;
const PRUNE_MS = 3_600_000;
/** A request's headers, and all of it, must have come within so long, ms. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 30_000;
/** The same for an upload: the largest file over a slow line, ms. */
const UPLOAD_MS = 3_600_000;
/** Of uploads: the largest, and all together before the oldest are deleted, bytes. */
const UPLOADS = { maxFileBytes: 104_857_600, maxTotalBytes: 10_737_418_240 } as const;
/** Idle connections stay so long, ms: more than the minute between an agent's pings and polls. */
const KEEP_ALIVE_MS = 75_000;
/** Agents that were here within so long are expected back, ms. */
const EXPECTED_MS = 86_400_000;
/** Ids in a path, characters: a command_id of 128, each three when encoded. */
const MAX_PARAM_LENGTH = 384;

export interface HubOptions {
  /** The database, created if it is not there. */
  dbPath: string;
  /** Agents show one of these. At least one. */
  secrets: readonly string[];
  /** What is answered: `echo`, a script file, or a responder of one's own. @default 'echo' */
  responder?: 'echo' | { script: string } | Responder;
  /** Without one the admin endpoints refuse everybody. */
  adminToken?: string | undefined;
  /** @default '127.0.0.1' */
  host?: string;
  /** 0: any free one. @default 0 */
  port?: number;
  /** Ids that may connect; none: any. @default [] */
  agents?: readonly string[];
  /** @default 'close' */
  wsReject?: RejectForm;
  limits?: Partial<EdgeLimits> | 'off';
  /** Limits of a file and of all files, bytes; past that the oldest are deleted. @default 100 MiB and 10 GiB */
  uploads?: { maxFileBytes?: number; maxTotalBytes?: number };
  /** Longest wait of an answer for the ack of its reflex, ms; 0: none. @default 2000 */
  reflexWaitMs?: number;
  /** Whether answers name `reflex_command_id`. @default true */
  nameReflex?: boolean;
  /** A delivered command without an ack is sent again after this, ms. @default 30000 */
  ackTimeoutMs?: number;
  /** A socket without a frame is dropped after this, ms. @default 60000 */
  silenceMs?: number;
  /** How long stop() waits for answers that are being worked out, ms. @default 5000 */
  drainMs?: number;
  /** Log message texts instead of their length and hash. @default false */
  logContent?: boolean;
  logger?: Logger;
  clock?: Clock;
  observe?: HubObserver;
}

/** The backend side of the wire: built here in one straight line, started in order, stopped in reverse. */
export class Hub {
  /** The memory of the hub, for reading. */
  readonly store: CommandStore;
  readonly #app: FastifyInstance;
  readonly #handshake: Handshake;
  readonly #sockets: EdgeSockets;
  readonly #probes: ProbeSockets;
  readonly #dispatcher: Dispatcher;
  readonly #answers: Answers;
  readonly #files: UploadFiles;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #host: string;
  readonly #port: number;
  readonly #drainMs: number;
  #timers: Timer[] = [];

  private constructor(o: {
    store: CommandStore;
    app: FastifyInstance;
    handshake: Handshake;
    sockets: EdgeSockets;
    probes: ProbeSockets;
    dispatcher: Dispatcher;
    answers: Answers;
    files: UploadFiles;
    clock: Clock;
    logger: Logger;
    host: string;
    port: number;
    drainMs: number;
  }) {
    this.store = o.store;
    this.#app = o.app;
    this.#handshake = o.handshake;
    this.#sockets = o.sockets;
    this.#probes = o.probes;
    this.#dispatcher = o.dispatcher;
    this.#answers = o.answers;
    this.#files = o.files;
    this.#clock = o.clock;
    this.#logger = o.logger;
    this.#host = o.host;
    this.#port = o.port;
    this.#drainMs = o.drainMs;
  }

  /** Opens the database and the script. @throws EdgeError EDGE_CONFIG_INVALID: the script; Error: the database */
  static create(o: HubOptions): Hub {
    const { clock = systemClock, logger = silentLogger } = o;
    if (o.secrets.length === 0) throw new Error('a hub needs at least one secret');
    const responder = responderOf(o.responder ?? 'echo', clock);
    const store = SqliteCommandStore.open({ path: o.dbPath, clock, ackTimeoutMs: o.ackTimeoutMs ?? 30_000 });
    const showContent = o.logContent ?? false;
    const telemetry = new EdgeTelemetry({ logger, observer: o.observe ?? {}, clock, showContent });
    const credentials = new Credentials({ secrets: o.secrets, agents: o.agents ?? [] });
    const limits = new RateLimits({ limits: o.limits === 'off' ? 'off' : { ...DEFAULT_LIMITS, ...o.limits } });
    const sockets = new EdgeSockets({
      clock,
      telemetry,
      limits,
      silenceMs: o.silenceMs ?? 60_000,
      onUp: (agentId) => dispatcher.socketUp(agentId),
      onDown: (agentId) => dispatcher.socketDown(agentId),
      onAck: async (agentId, data) => {
        const problem = await dispatcher.acknowledge(agentId, data);
        if (problem !== undefined) telemetry.frameIgnored(agentId, `command_ack: ${problem}`);
      },
    });
    const dispatcher = new Dispatcher({ store, sockets, clock, telemetry });
    const { reflexWaitMs = 2_000, nameReflex = true } = o;
    const answers = new Answers({ store, responder, sockets, dispatcher, clock, telemetry, reflexWaitMs, nameReflex });
    const rejectForm = o.wsReject ?? 'close';
    const probes = new ProbeSockets({ clock, telemetry });
    const handshake = new Handshake({ credentials, sockets, probes, limits, telemetry, clock, rejectForm });
    const { maxFileBytes, maxTotalBytes } = { ...UPLOADS, ...o.uploads };
    const files = new UploadFiles({ dir: `${o.dbPath}.uploads`, store, maxTotalBytes });
    const app = httpServer(telemetry, clock);
    edgeRoutes(app, { credentials, limits, store, answers, dispatcher, telemetry, files, maxFileBytes });
    adminRoutes(app, { adminToken: o.adminToken, credentials, store, dispatcher, sockets, clock, files });
    const startedAt = clock.monotonic();
    app.get('/health', async () => ({
      status: 'ok',
      connections: sockets.count,
      uptime_seconds: Math.round((clock.monotonic() - startedAt) / 1_000),
    }));
    handshake.listen(app.server);
    const { host = '127.0.0.1', port = 0, drainMs = 5_000 } = o;
    return new Hub({
      store,
      app,
      handshake,
      sockets,
      probes,
      dispatcher,
      answers,
      files,
      clock,
      logger,
      host,
      port,
      drainMs,
    });
  }

  /** Listens. @throws Error with `code` (EADDRINUSE …) when it cannot; the hub is closed then */
  async start(): Promise<void> {
    try {
      await this.store.release();
      this.#sockets.known = await this.store.agentCount(this.#clock.now() - EXPECTED_MS);
      await this.#files.start();
      await this.#app.listen({ host: this.#host, port: this.#port });
    } catch (error) {
      await this.#app.close();
      await this.store.close();
      throw error;
    }
    this.#timers = [
      this.#clock.every(SWEEP_MS, () => {
        this.#sockets.sweep();
        this.#dispatcher.sweep().catch((error) => this.#logger.error(`Sending again failed: ${messageOf(error)}`));
      }),
      this.#clock.every(PRUNE_MS, () => {
        this.store.prune().catch((error) => this.#logger.error(`Deleting old rows failed: ${messageOf(error)}`));
        this.#files.prune().catch((error) => this.#logger.error(`Deleting old files failed: ${messageOf(error)}`));
      }),
    ];
    this.#logger.info(`Listening on ${this.url}`);
  }

  /**
   * Takes leave of the agents with sockets, of a fleet over up to 10 s in which they can poll; then listens no more,
   * lets requests end for `drainMs`, and cuts what is left.
   */
  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#handshake.isOpen = false;
    this.#probes.closeAll(CLOSE_RESTART, 'Service restart');
    await this.#sockets.drain('Service restart');
    const cut = this.#clock.after(this.#drainMs, () => {
      this.#handshake.terminate();
      void this.#answers.stop();
      this.#app.server.closeAllConnections();
    });
    await this.#app.close();
    cut.cancel();
    this.#handshake.terminate();
    await this.#answers.stop();
    await this.#dispatcher.idle();
    await this.store.close();
    this.#logger.info('Stopped');
  }

  /** The port it listens on. */
  get port(): number {
    return (this.#app.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.port}`;
  }

  /** Switches WebSockets off (open ones are closed, handshakes get 503) and on: agents then poll. */
  setSockets(on: boolean): void {
    this.#handshake.isOpen = on;
    if (!on) this.#sockets.closeAll(CLOSE_RESTART, 'WebSocket is switched off');
  }
}

function responderOf(choice: NonNullable<HubOptions['responder']>, clock: Clock): Responder {
  if (choice === 'echo') return new EchoResponder();
  if (!('script' in choice)) return choice;
  return new ScriptResponder({ script: loadScript(readFileSync(choice.script, 'utf8'), choice.script), clock });
}

function httpServer(telemetry: EdgeTelemetry, clock: Clock): FastifyInstance {
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    requestTimeout: UPLOAD_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
  });
  app.server.headersTimeout = HEADERS_MS;
  app.decorateRequest('agentId', '');
  app.decorateRequest('bodyAt', undefined);
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    request.bodyAt = telemetry.now();
    return parseJson(request, String(body), done);
  });
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (routeOptions.config.isUpload) return;
    const timer = clock.after(REQUEST_MS, () => {
      if (!raw.complete) raw.destroy();
    });
    raw.once('close', () => timer.cancel());
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `Endpoint not found: ${request.url.split('?')[0]!.slice(0, 100)}` }),
  );
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    if (error.statusCode && error.statusCode < 500) return reply.code(error.statusCode).send({ error: error.message });
    telemetry.failure('A request', messageOf(error));
    // The store did not take it: nothing happened, and the agent is to come again. Anything else is a defect or the
    // responder's failure; agents come again after a 500 too.
    return reply.code(error.code?.startsWith('SQLITE_') ? 503 : 500).send({ error: 'internal error' });
  });
  return app;
}
