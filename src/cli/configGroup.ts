import type { Command } from 'commander';
import type { CommonOptions, Io } from './Io.ts';

type AddCommand = (usage: string, description: string, example: string, parent?: Command) => Command;

/** `edge-agent config get|set|unset`. */
export function configGroup(program: Command, command: AddCommand, io: Io, ended: (code: number) => void): void {
  const group = program
    .command('config')
    .description('Read and change single keys of the configuration.')
    .addHelpText('after', '\nExample:\n  edge-agent config set logging.level debug');
  command(
    'get',
    'Print what a key is, its default where it is not set. Exit code: 0 printed, 78 no such key.',
    'edge-agent config get logging.level',
    group,
  )
    .argument('<key>', 'the key with its section')
    .option('--json', 'print it as JSON')
    .action(async (key: string, options: CommonOptions) =>
      ended((await import('./configKeys.ts')).configGet(key, options, io)),
    );
  command(
    'set',
    'Change a key and nothing else of the file: comments and order stay. Says what the running agent makes of it. Exit code: 0 done, 78 refused, with the file as it was.',
    'edge-agent config set sending.rate.per_hour 500',
    group,
  )
    .argument('<key>', 'the key with its section')
    .argument('<value>', 'a word, a number, true or false; a list as [one, two]')
    .action(async (key: string, value: string, options: CommonOptions) =>
      ended(await (await import('./configKeys.ts')).configSet(key, value, options, io)),
    );
  command(
    'unset',
    'Take a key out of the file, so that its default holds.',
    'edge-agent config unset monitoring.port',
    group,
  )
    .argument('<key>', 'the key with its section')
    .action(async (key: string, options: CommonOptions) =>
      ended(await (await import('./configKeys.ts')).configSet(key, undefined, options, io)),
    );
}
