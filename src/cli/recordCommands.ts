import { type Command, InvalidArgumentError, Option } from 'commander';
import { LOG_LEVELS } from '../ops/logs/logLine.ts';
import type { DeadLettersOptions } from './deadLetters.ts';
import type { DropOptions } from './drop.ts';
import { EXPORTED, type Exported, type ExportOptions } from './exported.ts';
import type { Io } from './Io.ts';
import type { LogsOptions } from './logs.ts';
import type { NewCommand } from './program.ts';
import { timeArgument } from './timeArgument.ts';

/** Subcommands that show what the agent has written down: its log, its dead letters, its messages. */
export function recordCommands(command: NewCommand, io: Io, ended: (code: number) => void): void {
  addLogs((usage, description) => command(usage, description, 'edge-agent logs -f --level warn'), io, ended);
  command(
    'dead-letters',
    'List all messages that the backend refused, whether the agent runs or not.',
    'edge-agent dead-letters --json',
  )
    .option('--dropped', 'those that were dropped by hand instead')
    .option('--json', 'print a JSON object a line')
    .action(async (options: DeadLettersOptions) =>
      ended(await (await import('./deadLetters.ts')).deadLetters(options, io)),
    );
  command(
    'drop',
    'Give up messages that the backend refused: they are not handed over, and retry no longer finds them. The backend is not told.',
    'edge-agent drop 5A2F7C11-0000-4000-8000-000000000001',
  )
    .argument('[guid]', 'the message, as `edge-agent dead-letters` names it')
    .option('--all', 'all of them')
    .option('--json', 'print one JSON object')
    .action(async (guid: string | undefined, options: DropOptions) =>
      ended(await (await import('./drop.ts')).drop(guid, options, io)),
    );
  command(
    'export',
    'Print messages that came in and receipts of what was sent, a JSON object a line, in the order of time, whether the agent runs or not.',
    'edge-agent export --since 2026-11-01 --until 2026-12-01 >november.ndjson',
  )
    .addOption(new Option('--since <time>', 'begin there: a time, a date or so long ago (7d)').argParser(timeArgument))
    .addOption(new Option('--until <time>', 'end before').argParser(timeArgument))
    .option('--thread <handle>', 'of this conversation alone')
    .addOption(
      new Option('--what <what>', `${EXPORTED.join(', ')}, or both with a comma`)
        .default(EXPORTED, 'both')
        .argParser(exported),
    )
    .option('--text', 'with texts and whole handles, as far as they are kept (7 days)')
    .action(async (options: ExportOptions) => ended(await (await import('./exportRows.ts')).exportRows(options, io)));
}

/** `logs`, here and as `service logs`. */
export function addLogs(
  command: (usage: string, description: string) => Command,
  io: Io,
  ended: (code: number) => void,
): void {
  command('logs', 'Show the log through all its files, whether the agent runs or not.')
    .option('-f, --follow', 'go on with what is written, over every rotation, until Ctrl-C')
    .addOption(
      new Option('-n, --lines <lines>', 'so many at the end (default: 100; all of them with --since)').argParser(lines),
    )
    .addOption(new Option('--level <level>', 'this level and those above it').choices(LOG_LEVELS))
    .option('--grep <text>', 'lines that hold this text, in whatever case')
    .addOption(new Option('--since <time>', 'begin there: so long ago (1h), a date or a time').argParser(timeArgument))
    .action(async (options: LogsOptions) => ended(await (await import('./logs.ts')).logs(options, io)));
}

function lines(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > 1_000_000)
    throw new InvalidArgumentError('expected a number of lines up to 1000000.');
  return value;
}

function exported(text: string): Exported[] {
  return text.split(',').map((part) => {
    const what = EXPORTED.find((name) => name === part.trim());
    if (!what) throw new InvalidArgumentError(`expected ${EXPORTED.join(' or ')}, or both with a comma.`);
    return what;
  });
}
