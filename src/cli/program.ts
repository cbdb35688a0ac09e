import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { nearestOf } from '../config/nearestOf.ts';
import { packageVersion } from '../util/version.ts';
import { configGroup } from './configGroup.ts';
import type { DiagnoseOptions } from './diagnose.ts';
import type { DoctorOptions } from './doctor.ts';
import { EXAMINED } from './examined.ts';
import { EXIT } from './exitCodes.ts';
import { explain } from './explain.ts';
import type { CommonOptions, Io } from './Io.ts';
import type { OpenOptions } from './open.ts';
import { recordCommands } from './recordCommands.ts';
import type { RetryOptions } from './retry.ts';
import { LISTED, type ScheduleListOptions } from './scheduleStates.ts';
import type { SendOptions } from './send.ts';
import { addServiceCommands } from './service/serviceCommands.ts';
import type { StatusOptions } from './status.ts';

const CONFIG_HELP = 'configuration file (default: ./config.yaml, else ~/.config/edge-agent/config.yaml)';

const COMPLETION_HELP = `
Examples:
  edge-agent completion bash >>~/.bash_profile
  edge-agent completion zsh >"$(brew --prefix)/share/zsh/site-functions/_edge_agent"
  source <(edge-agent completion zsh)`;

/** The `edge-agent` command line. Takes the arguments after the program's name; resolves with the exit code. */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // commander has said what it had to say; --help and --version end here too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return explain(error, io);
  }
}

/** Adds a subcommand that takes --config, with an example in its help. */
export type NewCommand = (usage: string, description: string, example: string, parent?: Command) => Command;

/** The tree of subcommands; `ended` gets the exit code of the one that ran. */
export function buildProgram(io: Io, ended: (code: number) => void): Command {
  const program = new Command('edge-agent')
    .description('Relays between iMessage on this Mac and a backend.')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .addHelpText(
      'after',
      '\nExamples:\n  edge-agent status\n  edge-agent logs -f\n  edge-agent doctor\n\n`edge-agent help COMMAND` shows more.',
    );
  const command: NewCommand = (usage, description, example, parent = program) =>
    parent
      .command(usage)
      .description(description)
      .option('--config <file>', CONFIG_HELP)
      .addHelpText('after', `\nExample:\n  ${example}`);

  // Each subcommand is imported when it is used, so that the daemon carries none of the others.
  command(
    'run',
    'Run the agent in the foreground until SIGTERM or SIGINT. EDGE_SECRET in the environment goes before the secret that the configuration names.',
    'edge-agent run --config config.yaml',
  ).action(async (options: CommonOptions) => ended(await (await import('./run.ts')).run(options, io)));
  command(
    'status',
    'Say how the agent is, running or not: what waits, what is wrong with its fix, why it does not run. Exit code: 0 runs and is well, 1 runs with a critical condition, 3 does not run, 4 does not answer, 78 none was found and the configuration does not say where it would be.',
    'edge-agent status --watch',
  )
    .option('--watch', 'go on: each second on a terminal until q, else whenever something has changed')
    .option('--json', 'print one JSON object')
    .action(async (options: StatusOptions) => ended(await (await import('./status.ts')).status(options, io)));
  command(
    'open',
    'Open the status page in the browser; the link is good once, for five minutes. Needs monitoring.port.',
    'edge-agent open --no-browser',
  )
    .option('--no-browser', 'print the link and open nothing')
    .option('--json', 'print one JSON object')
    .action(async (options: OpenOptions) => ended(await (await import('./open.ts')).open(options, io)));
  command(
    'send',
    'Send a text through the running agent. Exit code: 0 confirmed, 1 failed, 75 not known (yet).',
    "edge-agent send --to +15550100002 --text 'Hello' --wait 60",
  )
    .requiredOption('--to <handle>', 'thread: a phone number in E.164 form, an e-mail address or a group’s identifier')
    .requiredOption('--text <text>', 'what to say')
    .addOption(new Option('--wait <seconds>', 'how long to wait for the outcome').default(30).argParser(seconds))
    .option('--json', 'print one JSON object')
    .action(async (options: SendOptions) => ended(await (await import('./send.ts')).send(options, io)));
  command('retry', 'Hand messages over again that the backend refused.', 'edge-agent retry --all')
    .argument('[guid]', 'the message, as `edge-agent dead-letters` names it')
    .option('--all', 'all of them')
    .option('--json', 'print one JSON object')
    .action(async (guid: string | undefined, options: RetryOptions) =>
      ended(await (await import('./retry.ts')).retry(guid, options, io)),
    );
  recordCommands(command, io, ended);
  const schedule = program
    .command('schedule')
    .description('Show and cancel messages that are sent at a time.')
    .addHelpText('after', '\nExample:\n  edge-agent schedule list');
  command(
    'list',
    'List scheduled messages, whether the agent runs or not.',
    'edge-agent schedule list --status all --json',
    schedule,
  )
    .addOption(new Option('--status <status>', 'which of them').choices(LISTED).default('pending'))
    .option('--text', 'show texts and whole handles')
    .option('--json', 'print one JSON object')
    .action(async (options: ScheduleListOptions) =>
      ended(await (await import('./schedule.ts')).scheduleList(options, io)),
    );
  command(
    'cancel',
    'Cancel what is still to come of a scheduled message; the backend is told. Exit code: 0 cancelled, 65 nothing to cancel, 69 no agent runs.',
    'edge-agent schedule cancel c-81',
    schedule,
  )
    .argument('<id>', 'the schedule, as `edge-agent schedule list` names it')
    .option('--json', 'print one JSON object')
    .action(async (id: string, options: CommonOptions) =>
      ended(await (await import('./schedule.ts')).scheduleCancel(id, options, io)),
    );
  command(
    'watch',
    'Print messages, reactions, edits and group changes as they come; needs no backend.',
    'edge-agent watch --json --since 0',
  )
    .option('--db <path>', 'chat.db to watch (default: imessage.db_path)')
    .addOption(new Option('--since <rowid>', 'begin after this ROWID (default: the newest)').argParser(rowid))
    .option('--json', 'print a JSON object a line')
    .action(async (options) => ended(await (await import('./watch.ts')).watch(options, io)));
  command(
    'decode',
    'Print what is in the blobs of chat.db: attributedBody, message_summary_info, payload_data.',
    'edge-agent decode --json body.bin',
  )
    .argument('<file...>', 'files with one blob each')
    .option('--json', 'print a JSON object a file')
    .action(async (files: string[], options) => ended(await (await import('./decode.ts')).decode(files, options, io)));
  command(
    'doctor',
    'Look at what the agent needs of this Mac and of its backend, whether it runs or not. Exit code: 0 all is well, 1 warnings, 2 something fails.',
    'edge-agent doctor --only connection --report report.md',
  )
    .addOption(
      new Option('--only <check>', `look at this alone; may be given again: ${EXAMINED.join(', ')}`).argParser(
        examined,
      ),
    )
    .option(
      '--report <file>',
      'write what was found of the connection as Markdown for the backend’s people; - prints it',
    )
    .option('--json', 'print one JSON object')
    .action(async (options: DoctorOptions) => ended(await (await import('./doctor.ts')).doctor(options, io)));
  command(
    'diagnose',
    'Put what support needs to know into one zip: versions, configuration, status, log, shape of the databases, what doctor finds. No secret, no text of a message, of handles the last four characters. Exit code: 0 written, 74 not.',
    'edge-agent diagnose --output report.zip',
  )
    .option('--output <file>', 'the zip (default: edge-agent-diagnose-TIME.zip in the current folder)')
    .option('--json', 'print one JSON object')
    .action(async (options: DiagnoseOptions) => ended(await (await import('./diagnose.ts')).diagnose(options, io)));
  addServiceCommands({ program, command, io, ended });
  command(
    'check-config',
    'Check the configuration file; start nothing. Exit code: 0 valid, 78 not.',
    'edge-agent check-config --config config.yaml',
  )
    .option('--json', 'print one JSON object')
    .action(async (options: CommonOptions) => ended((await import('./checkConfig.ts')).checkConfig(options, io)));
  configGroup(program, command, io, ended);
  program
    .command('completion')
    .description('Print a script with which the shell completes commands, options and their values.')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh']))
    .addHelpText('after', COMPLETION_HELP)
    .action(async (shell: 'bash' | 'zsh') =>
      io.out((await import('./completion.ts')).completionScript(program, shell)),
    );
  pointToHelp(program, 'edge-agent');
  return program;
}

/** What is wrong on a command line is followed by the help of just that command. */
function pointToHelp(command: Command, words: string): void {
  command.showHelpAfterError(`\`${words} --help\` shows what it takes.`);
  for (const one of command.commands) pointToHelp(one, `${words} ${one.name()}`);
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 3600))
    throw new InvalidArgumentError('expected 0 to 3600 seconds.');
  return value;
}

function examined(text: string, before: readonly string[] = []): string[] {
  if (EXAMINED.some((name) => name === text)) return [...before, text];
  const nearest = nearestOf(text, EXAMINED);
  const meant = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
  throw new InvalidArgumentError(`expected one of ${EXAMINED.join(', ')}.${meant}`);
}

function rowid(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('expected a ROWID, such as 1200.');
  return value;
}
