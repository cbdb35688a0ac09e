import { readFileSync, statSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import type { LogLevel } from '../../util/Logger.ts';
import { packageVersion } from '../../util/version.ts';
import { Hub } from '../Hub.ts';
import { createLog, type LogFormat } from './createLog.ts';

/** sysexits(3) */
const EXIT = { ok: 0, usage: 64, unavailable: 69, io: 74, config: 78 } as const;

interface Flags {
  host: string;
  port: number;
  db: string;
  responder: 'echo' | 'script';
  script?: string;
  secretFile?: string;
  agents: string;
  wsReject: 'close' | 'http';
  limits: 'on' | 'off';
  reflexWait: number;
  ackTimeout: number;
  logFormat: LogFormat;
  logLevel: LogLevel;
}

const EXAMPLE = `
Secrets come from the environment, never from flags:
  EDGE_SECRET          what agents show; several, separated by commas, while one is being replaced
  ADMIN_TOKEN          what the operator shows; without it /api and /edge/agents refuse everybody
  HUB_LOG_CONTENT=1    write message texts to the log

Example:
  (umask 077; openssl rand -hex 32 >secret)
  ADMIN_TOKEN=$(openssl rand -hex 32) edge-hub --secret-file secret --responder script --script ./answers.yaml
`;

/** Serves until `signal` aborts; gives the exit code. `args` are the arguments after the program's name. */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  let flags: Flags;
  try {
    const program = commandLine().parse(args, { from: 'user' });
    flags = program.opts<Flags>();
    if (flags.responder === 'script' && !flags.script) program.error('error: --responder script needs --script FILE');
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error; // commander has written what is wrong, or the help
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  try {
    return await serve(flags, env, signal);
  } catch (error) {
    console.error(`edge-hub: ${messageOf(error)}`);
    return exitCodeOf(error);
  }
}

async function serve(flags: Flags, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const secrets = listOf(flags.secretFile === undefined ? env.EDGE_SECRET : readSecret(flags.secretFile));
  if (secrets.length === 0) throw new EdgeError('EDGE_SECRET_MISSING', 'no secret: set EDGE_SECRET or --secret-file');
  const agents = listOf(flags.agents);
  const logger = createLog({
    format: flags.logFormat,
    level: flags.logLevel,
    write: (line) => process.stdout.write(line),
  });
  const hub = Hub.create({
    dbPath: flags.db,
    secrets,
    adminToken: env.ADMIN_TOKEN,
    responder: flags.responder === 'echo' ? 'echo' : { script: flags.script! },
    host: flags.host,
    port: flags.port,
    agents,
    wsReject: flags.wsReject,
    limits: flags.limits === 'off' ? 'off' : {},
    reflexWaitMs: flags.reflexWait,
    ackTimeoutMs: flags.ackTimeout * 1_000,
    logContent: env.HUB_LOG_CONTENT === '1',
    logger,
  });
  if (agents.length === 0) logger.warn('No agents are registered (--agents): any agent id with the secret is accepted');
  if (!env.ADMIN_TOKEN) logger.warn('ADMIN_TOKEN is not set: the admin endpoints refuse everybody');
  await hub.start();
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await hub.stop();
  return EXIT.ok;
}

function commandLine(): Command {
  return new Command('edge-hub')
    .version(packageVersion())
    .description('The backend side of the relay: takes the messages of edge agents, answers them, sends commands.')
    .addOption(new Option('--host <address>', 'address to listen on').env('HOST').default('127.0.0.1'))
    .addOption(
      new Option('--port <n>', 'port; 0 = any free one').env('PORT').default(8080).argParser(number(0, 65_535)),
    )
    .addOption(new Option('--db <file>', 'SQLite database, created if missing').env('HUB_DB').default('./edge-hub.db'))
    .addOption(new Option('--responder <name>', 'who answers').choices(['echo', 'script']).default('echo'))
    .addOption(new Option('--script <file>', 'rules of the script responder (YAML, see docs/HUB.md)'))
    .addOption(new Option('--secret-file <file>', 'file of mode 0600 with the secret, instead of EDGE_SECRET'))
    .addOption(
      new Option('--agents <ids>', 'registered agent ids, by commas; empty = any').env('EDGE_AGENTS').default(''),
    )
    .addOption(
      new Option('--ws-reject <form>', 'refuse sockets by close code 4001 or by HTTP 401/403')
        .env('EDGE_WS_REJECT')
        .choices(['close', 'http'])
        .default('close'),
    )
    .addOption(new Option('--limits <on|off>', 'rate limits per agent').choices(['on', 'off']).default('on'))
    .addOption(
      new Option('--reflex-wait <ms>', 'longest wait of an answer for the ack of its reflex')
        .default(2_000)
        .argParser(number(0, 60_000)),
    )
    .addOption(
      new Option('--ack-timeout <s>', 'a command without an ack is sent again after this')
        .default(30)
        .argParser(number(1, 86_400)),
    )
    .addOption(new Option('--log-format <form>', 'form of the log on stdout').choices(['text', 'json']).default('text'))
    .addOption(
      new Option('--log-level <level>', 'least level that is written')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText('after', EXAMPLE)
    .allowExcessArguments(false)
    .exitOverride();
}

function number(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

function readSecret(file: string): string {
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new EdgeError('EDGE_SECRET_FILE_MODE', `${file} can be read by others: chmod 600 it`);
  }
  return readFileSync(file, 'utf8');
}

function listOf(text: string | undefined): string[] {
  return (text ?? '').split(/[,\s]+/).filter((part) => part !== '');
}

function exitCodeOf(error: unknown): number {
  if (error instanceof EdgeError) return EXIT.config;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return syscall === 'listen' || code === 'EADDRINUSE' ? EXIT.unavailable : EXIT.io;
}
