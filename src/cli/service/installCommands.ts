import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Io } from '../Io.ts';
import type { ServiceInstallOptions } from './install.ts';
import type { ServiceUpgradeOptions } from './upgrade.ts';

type AddCommand = (usage: string, description: string, example: string, parent: Command) => Command;

/** `edge-agent service install|upgrade`. */
export function installCommands(service: Command, command: AddCommand, io: Io, ended: (code: number) => void): void {
  command(
    'install',
    'Have launchd run the agent for this user: asks what it has to know (on a terminal), keeps the secret in the Keychain and a Node of its own, starts it and says what is missing. Can be run again at any time. Exit code: 0 runs, 64 something was not given, 69 no macOS 12 or newer, 75 does not answer, 78 the configuration has problems.',
    'edge-agent service install --agent-id mini-1 --backend-url https://backend.example.com --secret-file ./secret',
    service,
  )
    .option('--agent-id <id>', 'the id under which the backend knows this Mac (or EDGE_AGENT_ID)')
    .option('--backend-url <url>', 'where the backend is (or EDGE_BACKEND_URL)')
    .addOption(new Option('--secret-stdin', 'read the secret from standard input').conflicts('secretFile'))
    .option('--secret-file <file>', 'read the secret from a file (or EDGE_SECRET); it is kept in the Keychain')
    .option('--node <file>', 'the Node to make a private copy of (default: the one that runs this)')
    .option('--new-node', 'replace the private Node, after which its permissions are to be given again')
    .option('--yes', 'ask nothing')
    .option('--no-start', 'put everything in place and start nothing')
    .addOption(wait())
    .action(async (options: ServiceInstallOptions) =>
      ended(await (await import('./install.ts')).serviceInstall(options, io)),
    );
  command(
    'upgrade',
    'Have the service run this version: stop, back up the state, switch, start; the version before comes back where this one does not answer. Exit code: 0 runs, 69 nothing is installed, 75 taken back.',
    'edge-agent service upgrade --from edge-relay-0.2.0.tgz',
    service,
  )
    .option(
      '--from <path>',
      'a folder with a built package, or a tarball of npm pack (default: the package of this command)',
    )
    .option('--new-node', 'replace the private Node as well')
    .addOption(wait())
    .action(async (options: ServiceUpgradeOptions) =>
      ended(await (await import('./upgrade.ts')).serviceUpgrade(options, io)),
    );
}

function wait(): Option {
  return new Option('--wait <seconds>', 'how long the agent may take to answer').default(60).argParser((text) => {
    const value = Number(text);
    if (!(value >= 1 && value <= 3600)) throw new InvalidArgumentError('expected 1 to 3600 seconds.');
    return value;
  });
}
