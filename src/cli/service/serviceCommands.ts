import type { Command } from 'commander';
import type { CommonOptions, Io } from '../Io.ts';
import { addLogs } from '../recordCommands.ts';
import { installCommands } from './installCommands.ts';
import type { ServicePlistOptions } from './plist.ts';
import type { ServiceUninstallOptions } from './uninstall.ts';

interface ServiceCommandsOptions {
  readonly program: Command;
  /** Makes a subcommand as all are made. */
  readonly command: (usage: string, description: string, example: string, parent: Command) => Command;
  readonly io: Io;
  readonly ended: (code: number) => void;
}

/** The group `edge-agent service`: the agent as a LaunchAgent of this user. Each is imported when it is used. */
export function addServiceCommands({ program, command, io, ended }: ServiceCommandsOptions): void {
  const service = program
    .command('service')
    .description('Run the agent as a LaunchAgent of this user.')
    .addHelpText('after', '\nExample:\n  edge-agent service status');
  installCommands(service, command, io, ended);
  addLogs((usage, description) => command(usage, description, 'edge-agent service logs -f', service), io, ended);
  command('start', 'Start the agent that is installed.', 'edge-agent service start', service).action(async () =>
    ended(await (await import('./start.ts')).serviceStart(io)),
  );
  command(
    'stop',
    'Stop the agent and wait until it has ended. It comes back at the next login, or with start.',
    'edge-agent service stop',
    service,
  ).action(async () => ended(await (await import('./stop.ts')).serviceStop(io)));
  command('restart', 'Stop the agent in order and start it again.', 'edge-agent service restart', service).action(
    async () => ended(await (await import('./restart.ts')).serviceRestart(io)),
  );
  command(
    'status',
    'Say what launchd knows of the agent, and whether its files are those an install would write. Exit code: 0 runs, 1 runs with something to mend or waits for it to be mended, 3 does not run.',
    'edge-agent service status --json',
    service,
  )
    .option('--json', 'print one JSON object')
    .action(async (options: CommonOptions) => ended(await (await import('./status.ts')).serviceStatus(options, io)));
  command(
    'plist',
    'Print the property list that an install would write; change nothing.',
    'edge-agent service plist',
    service,
  )
    .option('--node <file>', 'the Node that runs the agent (default: the private copy, else this one)')
    .action(async (options: ServicePlistOptions) => ended((await import('./plist.ts')).servicePlist(options, io)));
  command(
    'uninstall',
    'Stop the agent and take it out of launchd. Its data stay, unless --purge --yes is given.',
    'edge-agent service uninstall --purge',
    service,
  )
    .option(
      '--purge',
      'delete state, logs, the private copy of Node and the Keychain item as well; without --yes only say what would be deleted. What was sent and seen is then forgotten: an agent installed later does not know it.',
    )
    .option('--yes', 'delete without asking')
    .action(async (options: ServiceUninstallOptions) =>
      ended(await (await import('./uninstall.ts')).serviceUninstall(options, io)),
    );
}
