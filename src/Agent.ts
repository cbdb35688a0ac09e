import { homedir } from 'node:os';
import { readConfigUpdate } from './backend/configUpdate.ts';
import { Link } from './backend/Link.ts';
import { ChatDbFeed } from './chatdb/ChatDbFeed.ts';
import { AckCourier } from './commands/AckCourier.ts';
import { CommandFeed } from './commands/CommandFeed.ts';
import { CommandHandler } from './commands/CommandHandler.ts';
import { credentials } from './config/credentials.ts';
import { linkSettings } from './config/linkSettings.ts';
import { messagingSettings } from './config/messagingSettings.ts';
import { privacySettings } from './config/privacySettings.ts';
import type { ReloadPlan } from './config/reload.ts';
import type { SecretSource } from './config/SecretSource.ts';
import type { Config } from './config/schema.ts';
import { uploadSettings } from './config/uploadSettings.ts';
import type { LoopGuard } from './messaging/loopGuard.ts';
import { Messaging } from './messaging/Messaging.ts';
import { OsascriptRunner } from './messaging/OsascriptRunner.ts';
import type { CrashLoop } from './ops/CrashLoop.ts';
import { crashLoopPart } from './ops/crashLoopPart.ts';
import { Health } from './ops/Health.ts';
import type { InstanceLock } from './ops/InstanceLock.ts';
import type { Log } from './ops/log.ts';
import { Metrics } from './ops/metrics.ts';
import { openStateStore } from './ops/openStateStore.ts';
import { operatorParts } from './ops/operatorParts.ts';
import { Retention } from './ops/Retention.ts';
import { runningStatus } from './ops/runningStatus.ts';
import { StatusReports } from './ops/StatusReports.ts';
import { SyncExchange } from './ops/SyncExchange.ts';
import { nodeChangedPart } from './ops/service/nodeChangedPart.ts';
import type { AgentStatus } from './ops/status.ts';
import { createTelemetry } from './ops/telemetry.ts';
import { WakeDetector } from './ops/WakeDetector.ts';
import { ChangeWatch } from './relay/ChangeWatch.ts';
import { InboundPump } from './relay/InboundPump.ts';
import { Intake } from './relay/Intake.ts';
import { LivePrivacyFilter } from './relay/LivePrivacyFilter.ts';
import { Uploader } from './relay/uploads/Uploader.ts';
import { type Clock, systemClock } from './util/Clock.ts';
import { codeOf, type EdgeError, messageOf } from './util/EdgeError.ts';

/** Something with a life of its own. */
interface Part {
  start(): void | Promise<void>;
  stop(): void | Promise<void>;
}

export interface AgentOverrides {
  readonly log: Log;
  /** Becomes the agent's: `stop` releases it. */
  readonly lock: InstanceLock;
  readonly crashLoop: CrashLoop;
  /** @default the system's */
  readonly clock?: Clock;
}

/**
 * The composition root. `fromConfig` builds every part in one straight line; `start` starts them in the order of the
 * list, `stop` stops them in reverse and may come at any moment, also between two steps of the start.
 */
export class Agent {
  /** Resolves when the agent can no longer keep its promises and has to end: EDGE_STATE_IO. */
  readonly failed: Promise<EdgeError>;
  readonly status: () => AgentStatus;
  /** Takes over what can be while the agent runs. */
  readonly reload: (plan: ReloadPlan) => void;
  readonly #parts: readonly Part[];
  readonly #running: Part[] = [];
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(o: Pick<Agent, 'failed' | 'status' | 'reload'> & { parts: readonly Part[] }) {
    this.failed = o.failed;
    this.status = o.status;
    this.reload = o.reload;
    this.#parts = o.parts;
  }

  /**
   * Opens state.db; `stop` closes it and gives the lock back.
   * @throws EdgeError EDGE_STATE_DIR, EDGE_STATE_NEWER, EDGE_STATE_FULL, EDGE_STATE_IO
   */
  static fromConfig(config: Config, secrets: SecretSource, given: AgentOverrides): Agent {
    const { log, lock, crashLoop, clock = systemClock } = given;
    const random = Math.random;
    const agentId = config.edge.agent_id;
    const metrics = new Metrics();
    const health = new Health({
      clock,
      onChange: (view) => {
        reports.conditions(view);
        link.syncSoon();
      },
    });
    const telemetry = createTelemetry({ logger: log.logger, metrics, health, clock });
    const fatal = Promise.withResolvers<EdgeError>();
    const store = openStateStore(config.state.dir, { clock, telemetry, onFatal: fatal.resolve });
    const reports = new StatusReports({ store, clock, agentId, onLate: () => link.syncSoon() });

    const privacy = new LivePrivacyFilter(privacySettings(config));
    const intake = new Intake({
      store,
      clock,
      telemetry,
      privacy,
      chatDbPath: config.imessage.db_path,
      answerMaxAgeSeconds: config.relay.answer_max_age_seconds,
      attachmentWaitSeconds: config.imessage.attachment_wait_seconds,
      onInbound: (backfill) => pump.wake(backfill > 0),
      onAdmitted: (row) => changes.admitted(row),
      wantFiles: (...message) => uploader.want(...message),
      onEvents: () => link.syncSoon(),
      onReadFailed: (error) => feed.readFailed(error),
    });
    const changes = new ChangeWatch({
      store,
      clock,
      telemetry,
      privacy,
      source: () => feed.db,
      epoch: () => intake.epoch,
      onEvents: () => link.syncSoon(),
    });
    const feed = new ChatDbFeed({
      path: config.imessage.db_path,
      clock,
      telemetry,
      onOpen: (db, identity) => {
        uploader.wake(); // first: a page that intake cannot read is no reason to hold up a file
        intake.opened(db, identity);
        changes.chatDbChanged();
        messaging.chatDbOpened();
      },
      onChange: (db) => {
        messaging.chatDbChanged(); // first: a page that intake cannot read is no reason to miss a receipt
        intake.changed(db);
        changes.chatDbChanged();
        uploader.chatDbChanged();
      },
    });
    const loopGuard: LoopGuard = {
      limit: config.relay.loop_guard_answers,
      windowMs: config.relay.loop_guard_window_seconds * 1000,
      onTripped: (detail) => {
        telemetry.failure('EDGE_ANSWER_LOOP', detail);
        link.syncSoon();
      },
    };
    const commands = new CommandHandler({
      store,
      clock,
      telemetry,
      begin: (threadId) => messaging.begin(threadId),
      // Commands of an answer are taken in its transaction.
      onSends: (threadId) => store.afterCommit(() => messaging.sendsQueued(threadId)),
      onSchedules: () => store.afterCommit(() => messaging.schedulesChanged()),
      onAcks: () => store.afterCommit(() => courier.wake()),
      onUploads: () => store.afterCommit(() => uploader.wake()),
      loopGuard,
      maxBubbleChars: config.sending.max_bubble_chars,
    });
    const commandFeed = new CommandFeed({
      clock,
      telemetry,
      handler: commands,
      throttled: () => [link, courier],
      refuse: (code) => link.refuse(code),
      syncNow: () => link.syncNow(),
    });
    const pump = new InboundPump({
      store,
      clock,
      random,
      telemetry,
      post: (request, options) => client.postMessage(request, options),
      acceptCommand: (raw) => commands.handle(raw, 'response'),
      onSends: () => messaging.sendsQueued(),
      onSettled: () => link.syncSoon(),
      maxInFlightPerThread: config.backend.max_in_flight_per_thread,
      maxConcurrentRequests: config.backend.max_concurrent_requests,
      loopGuard,
      heldMs: (guid) => uploader.heldMs(guid),
      maxBubbleChars: config.sending.max_bubble_chars,
    });
    const uploader = new Uploader({
      store,
      clock,
      random,
      telemetry,
      privacy,
      settings: uploadSettings(config),
      source: () => feed.db,
      upload: (...file) => client.upload(...file),
      onReleased: (threadId) => pump.released(threadId),
      onAcks: () => courier.wake(),
    });
    const backendSeen = () => {
      pump.backendSeen();
      uploader.backendSeen();
    };
    const messaging = new Messaging({
      store,
      chatDb: () => (intake.isPlaced ? feed.db : undefined),
      epoch: () => intake.epoch,
      runner: new OsascriptRunner({ path: config.sending.osascript_path }),
      clock,
      telemetry,
      settings: messagingSettings(config),
      onSettled: () => {
        courier.wake();
        link.syncSoon();
      },
    });
    const link = new Link({
      settings: linkSettings(config),
      ...credentials(secrets, telemetry),
      clock,
      random,
      telemetry,
      onUp: () => {
        commandFeed.catchUp();
        courier.socketUp();
        backendSeen();
      },
      onDown: () => courier.socketDown(),
      onPong: () => courier.pong(),
      onCommand: (raw, bytes) => commandFeed.take(raw, bytes),
      onCaughtUp: () => commandFeed.caughtUp(),
      onConfigUpdate: (raw) => configure(raw),
      collect: () => exchange.collect(),
      deliver: (response) => exchange.deliver(response),
      hasEvents: () => store.events.hasWaiting(),
      onLargeFrames: (detail) => {
        reports.error('EDGE_BACKEND_TOO_LARGE', detail);
        link.syncSoon();
      },
    });
    secrets.onChange(() => {
      link.secretChanged();
      pump.secretChanged();
      uploader.secretChanged();
      courier.secretChanged();
    });
    const { client } = link;
    const courier = new AckCourier({
      store,
      clock,
      random,
      telemetry,
      isSocketUp: () => link.isUp,
      sendFrame: (frame) => link.send(frame),
      postAck: (ack, signal) => client.postAck(ack, signal),
      sendPing: () => link.ping(),
      unansweredPings: () => link.unansweredPings,
    });
    const exchange = new SyncExchange({
      store,
      clock,
      logger: log.logger,
      agentId,
      sync: (request, signal) => client.sync(request, signal),
      telemetry,
      takeCommands: (raw) => commandFeed.fetched(raw),
      onConfigUpdate: configure,
      onAnswer: backendSeen,
    });
    const wake = new WakeDetector({
      clock,
      onWake: (gapMs) => {
        telemetry.woke(gapMs);
        link.woke();
        feed.look();
        messaging.woke();
        pump.wake();
        uploader.wake();
        changes.wake();
      },
    });
    const retention = new Retention({
      store,
      clock,
      onError: (error) => telemetry.failure(codeOf(error, 'EDGE_INTERNAL'), `pruning state.db: ${messageOf(error)}`),
    });
    const chatDbPath = config.imessage.db_path;
    const status = runningStatus({ store, clock, agentId, chatDbPath, health, log, feed, link, messaging, reports });
    const operator = operatorParts({
      stateDir: config.state.dir,
      monitoringPort: config.monitoring.port,
      keepAwake: config.power.keep_awake,
      random,
      log,
      logFile: config.logging.file,
      telemetry,
      store,
      clock,
      status,
      metrics,
      queueText: (send) => messaging.queueText(send),
      onSends: () => messaging.sendsQueued(),
      onInbound: () => intake.retry(),
      cancelSchedule: (scheduleId) => messaging.cancelSchedule(scheduleId),
    });
    const life: Part = {
      start: () => reports.started(),
      stop: async () => {
        void messaging.stop(); // waited for in its turn; from now on no bubble is begun, however long the others take
        reports.stopping();
        await exchange.sayGoodbye();
      },
    };

    return new Agent({
      failed: fatal.promise,
      status,
      reload,
      parts: [
        { start() {}, stop: () => closeStore() },
        operator.control,
        crashLoopPart(crashLoop, { clock, telemetry }),
        nodeChangedPart({ home: homedir(), execPath: process.execPath, clock, telemetry }),
        ...operator.monitoring,
        ...operator.keepAwake,
        { start() {}, stop: () => link.close() },
        pump,
        uploader,
        feedPart(),
        messaging,
        courier,
        link,
        { start() {}, stop: () => commandFeed.stop() },
        wake,
        retention,
        life,
      ],
    });

    function closeStore(): void {
      health.stop();
      store.close();
      lock.release();
    }

    /** Before the sender, which looks chat.db through for what was under way; intake stops last, with its cursor. */
    function feedPart(): Part {
      return {
        start: () => {
          changes.start(); // first: it reads from state.db when the agent was last at work
          feed.start();
        },
        stop: () => {
          feed.stop();
          changes.stop();
          intake.stop();
        },
      };
    }

    /** Only what changed: the backend may have set another interval in the meantime. */
    function reload({ config: now, applied }: ReloadPlan): void {
      const { sync_interval_seconds: syncSeconds } = now.backend;
      if (applied.includes('backend.sync_interval_seconds')) link.setSyncIntervalSeconds(syncSeconds);
      if (applied.some((key) => key.startsWith('sending.'))) messaging.setPace(messagingSettings(now));
      if (applied.some((key) => key.startsWith('privacy.'))) privacy.replace(privacySettings(now));
    }

    function configure(raw: unknown): void {
      const change = readConfigUpdate(raw);
      if (change.syncIntervalSeconds !== undefined) link.setSyncIntervalSeconds(change.syncIntervalSeconds);
      if (change.logLevel !== undefined) log.setLevel(change.logLevel);
      telemetry.configUpdated(change);
    }
  }

  /** Resolves when everything runs, or when `stop` came in between. */
  start(): Promise<void> {
    this.#starting ??= this.#startAll();
    return this.#starting;
  }

  /** Resolves when everything has stopped and the lock is free. What was in flight is on disk. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #startAll(): Promise<void> {
    for (const part of this.#parts) {
      if (this.#stopping) return;
      this.#running.push(part);
      await part.start();
    }
  }

  async #stopAll(): Promise<void> {
    await this.#starting?.catch(() => {}); // the caller of start has that error; what did start is stopped all the same
    for (const part of this.#running.reverse()) await part.stop();
  }
}
