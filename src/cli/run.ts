import { join } from 'node:path';
import type { Agent } from '../Agent.ts';
import type { ReloadPlan } from '../config/reload.ts';
import { controlSocketPath } from '../ops/ControlServer.ts';
import { CRASH_LOOP_FILE, CrashLoop } from '../ops/CrashLoop.ts';
import { holdStart } from '../ops/holdStart.ts';
import { InstanceLock } from '../ops/InstanceLock.ts';
import { createLog, type Log } from '../ops/log.ts';
import { lastLineAt } from '../ops/logs/lastLineAt.ts';
import { maskIn } from '../ops/mask.ts';
import { RunMark } from '../ops/RunMark.ts';
import { systemClock } from '../util/Clock.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import { awaitLock } from './awaitLock.ts';
import { EXIT, exitCodeOf } from './exitCodes.ts';
import { explain } from './explain.ts';
import type { CommonOptions, Io } from './Io.ts';
import { isWaitedFor, openForRun } from './openForRun.ts';
import { reloadConfig } from './reloadConfig.ts';
import { secretSource } from './secretSource.ts';
import { standBy } from './standBy.ts';
import { toggleDebug } from './toggleDebug.ts';

/**
 * Longest orderly stop, ms. What is still in flight then is on disk and is looked at again at the next start, so the
 * exit code stays 0: with another, launchd would start again what somebody has just stopped.
 */
const STOP_MS = 9_500;

/** `edge-agent run`: the daemon. Returns the exit code once it has stopped. */
export async function run(options: CommonOptions, io: Io): Promise<number> {
  const stopSignal = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const early = process.listeners(signal); // those of index.ts, removed last: a signal in between would be lost
    process.on(signal, () => stopSignal.resolve(signal));
    for (const listener of early) process.off(signal, listener);
  }

  const opened = await openForRun(options, io, stopSignal.promise);
  if (!opened) return EXIT.ok;
  let { config } = opened;
  const secrets = secretSource(config, io);
  // Programs this one starts need no secret, and an environment can be listed.
  delete process.env.EDGE_SECRET;
  const log = createLog({
    file: config.logging.file,
    level: config.logging.level,
    format: config.logging.format,
    maxBytes: config.logging.max_bytes,
    maxFiles: config.logging.max_files,
    clock: systemClock,
    hide: () => secrets.known,
    ...(process.stderr.isTTY ? { echo: io.err } : {}),
  });
  let running: Agent | undefined;
  const apply = (plan: ReloadPlan) => {
    config = plan.config;
    if (plan.applied.includes('logging.level')) log.setLevel(config.logging.level);
    running?.reload(plan);
  };
  let lock: InstanceLock | undefined;
  process.on('SIGHUP', () => {
    if (!lock) return; // it waits for the agent whose log this is
    secrets.refresh();
    log.reopen();
    log.logger.info('SIGHUP: the secret is read again and the log file reopened');
    reloadConfig({ file: opened.file, running: config, logger: log.logger, apply });
  });
  process.on('SIGUSR2', () => toggleDebug(log, config.logging.level));
  // The disk is no defect, wherever its refusal came to light.
  const isDisk = (error: unknown) => error instanceof EdgeError && error.code === 'EDGE_STATE_IO';
  let loop: CrashLoop | undefined;
  const mark = new RunMark({
    stateDir: config.state.dir,
    clock: systemClock,
    logger: log.logger,
    lastLineAt: () => lastLineAt(config.logging.file),
  });
  const end = (error: unknown, words: typeof refuse) => {
    const { code, exitCode } = words(error, log, config.logging.file, io);
    // What a start again cannot help, and launchd is not to repeat, is no crash loop.
    if (exitCode !== EXIT.config) loop?.failed(code);
    mark.ended(code);
    return exitCode;
  };
  const crash = (error: unknown) => io.exit(end(error, isDisk(error) ? refuse : lastWords));
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  const agentId = config.edge.agent_id;
  const socketPath = controlSocketPath(config.state.dir);
  const { logger } = log;
  const lockPath = join(config.state.dir, 'lock.db');
  try {
    lock = InstanceLock.acquire(lockPath);
    loop = new CrashLoop({ path: join(config.state.dir, CRASH_LOOP_FILE), clock: systemClock, logger: log.logger });
    const { port: monitoringPort } = config.monitoring;
    const stop = stopSignal.promise;
    if (await holdStart({ loop, socketPath, monitoringPort, agentId, clock: systemClock, logger, stop })) {
      loop.forget();
      return EXIT.ok;
    }
    loop.begun();
    // A locked Keychain waits for a person; whoever wants the agent to stop does not wait with it.
    const early = await Promise.race([secrets.load(), stopSignal.promise]);
    if (early) return EXIT.ok;
    mark.begun();
    const program = await import('../Agent.ts');
    const agent = program.Agent.fromConfig(config, secrets, { log, lock, crashLoop: loop });
    running = agent;
    const ended = Promise.race([stopSignal.promise, agent.failed]);
    const first = await Promise.race([ended, agent.start().then(() => ended)]);
    if (first instanceof EdgeError) throw first;

    running = undefined; // what it would apply now has closed, or is about to
    log.logger.info(`${first}: stopping`);
    loop.forget(); // while the lock is ours
    mark.ended(); // it ends because somebody asked for it, whoever kills it meanwhile
    systemClock.after(STOP_MS, () => {
      log.logger.warn(`not stopped after ${STOP_MS / 1000} s; what is in flight is looked at again at the next start`);
      log.flush();
      io.exit(EXIT.ok);
    });
    await agent.stop();
    log.logger.info('stopped');
    log.flush();
    return EXIT.ok;
  } catch (error) {
    const exitCode = end(error, refuse);
    if (!isWaitedFor(error, io)) return exitCode;
    if (error.code === 'EDGE_ALREADY_RUNNING') {
      const outcome = await awaitLock({
        path: lockPath,
        file: opened.file,
        error,
        clock: systemClock,
        stop: stopSignal.promise,
      });
      return outcome === 'stop' ? EXIT.ok : exitCode;
    }
    const files = [opened.file, join(config.state.dir, 'state.db')];
    const control = { socketPath, monitoringPort: config.monitoring.port, agentId };
    const waits = { error, files, control, stateDir: config.state.dir, clock: systemClock, logger };
    const outcome = await standBy({ ...waits, stop: stopSignal.promise });
    lock?.release();
    // launchd starts it anew, with the configuration, the state and the program that are there now.
    return outcome === 'stop' ? EXIT.ok : exitCode;
  }
}

interface End {
  readonly code: ErrorCode;
  readonly exitCode: number;
}

/** The agent could not start, or had to end. */
function refuse(error: unknown, log: Log, file: string, io: Io): End {
  if (!(error instanceof EdgeError)) return lastWords(error, log, file, io);
  // The log belongs to the agent that holds the lock.
  if (error.code !== 'EDGE_ALREADY_RUNNING') log.logger.error(`${error.code}: ${maskIn(error.message)}. ${error.fix}`);
  log.flush();
  explain(error, io);
  return { code: error.code, exitCode: exitCodeOf(error.code) };
}

/** A defect: written down with its place before the process ends, because nothing can be trusted any more. */
function lastWords(error: unknown, log: Log, file: string, io: Io): End {
  const stack = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  log.logger.error(`EDGE_INTERNAL: ${maskIn(stack)}`);
  log.flush();
  // Not the error itself: launchd keeps what is written here in a file that hides nothing.
  io.err(`edge-agent: EDGE_INTERNAL: a defect ended the agent; ${file} says where. launchd starts it again.\n`);
  return { code: 'EDGE_INTERNAL', exitCode: EXIT.internal };
}
