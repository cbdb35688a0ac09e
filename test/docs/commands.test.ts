import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';

const repository = resolve(import.meta.dirname, '../..');
const pages = ['README.md', 'CHANGELOG.md', ...readdirSync(join(repository, 'docs')).map((name) => `docs/${name}`)];
const texts = pages.filter((page) => page.endsWith('.md')).map((page) => [page, read(page)] as const);

function read(page: string): string {
  return readFileSync(join(repository, page), 'utf8');
}

/** What stands in code: the lines between fences, and what is between backticks. */
function codeOf(text: string): string[] {
  const fenced = [...text.matchAll(/^```.*\n([\s\S]*?)^```/gm)].flatMap(([, lines]) => lines!.split('\n'));
  const inline = text.replace(/^```.*\n[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g);
  return [...fenced, ...[...inline].map(([, code]) => code!)];
}

/** What the program says of itself begins with its name as well. */
const OUTPUT = /^(runs|does|is|not)$/;

/** The words after each `edge-agent` that is called in `code`, without quotes and brackets, up to what ends a command. */
function callsIn(code: string): string[][] {
  const calls = code.matchAll(/(?<!-\w )(?<![\w.-])edge-agent"?((?:[ \t]+(?:'[^']*'|"[^"]*"|[^\s'"|;&)><#]+))+)/g);
  return [...calls]
    .map(([, rest]) => rest!.match(/'[^']*'|"[^"]*"|\S+/g)!.map((word) => word.replace(/^[['"]+|[\]'",.]+$/g, '')))
    .filter(([first]) => /^(-|[a-z])/.test(first!) && !OUTPUT.test(first!));
}

interface Help {
  /** By the names they are called by. */
  readonly commands: ReadonlySet<string>;
  readonly options: ReadonlySet<string>;
}

const known = new Map<string, Promise<Help>>();

/** What `--help` says that the command takes. */
function helpOf(path: readonly string[]): Promise<Help> {
  const key = path.join(' ');
  if (!known.has(key)) known.set(key, readHelp(path));
  return known.get(key)!;
}

async function readHelp(path: readonly string[]): Promise<Help> {
  let out = '';
  const hear = (text: string) => {
    out += text;
  };
  expect(await runProgram([...path, '--help'], { out: hear, err: hear, env: {}, cwd: '/', exit: never })).toBe(0);
  const [, commands = ''] = /^Commands:\n((?: +.*\n?)+)/m.exec(out) ?? [];
  const [, options = ''] = /^Options:\n((?: +.*\n?)+)/m.exec(out) ?? [];
  return {
    commands: new Set([...commands.matchAll(/^ {2}([a-z][\w|-]*)/gm)].flatMap(([, name]) => name!.split('|'))),
    options: new Set(
      [...options.matchAll(/^ {2}(-.*?)(?: {2}|$)/gm)].flatMap(([, flags]) => flags!.match(/-[\w-]+/g)!),
    ),
  };
}

function never(): never {
  throw new Error('--help ends the program');
}

/** What the program would refuse in these words; undefined where it takes them. */
async function refusalOf(words: readonly string[]): Promise<string | undefined> {
  const path: string[] = [];
  let help = await helpOf(path);
  for (const word of words) {
    if (help.commands.size > 0 && !word.startsWith('-')) {
      if (!help.commands.has(word)) return `no subcommand ${word}`;
      path.push(word);
      help = await helpOf(path);
    } else if (/^--?\w/.test(word) && !help.options.has(word.split('=')[0]!)) {
      return `${path.join(' ')} has no option ${word}`;
    }
  }
  return undefined;
}

describe('the commands that the documents name', () => {
  const calls = texts.flatMap(([page, text]) =>
    codeOf(text).flatMap((code) => callsIn(code).map((words) => ({ page, words }))),
  );

  it('are found', () => {
    expect(calls.length).toBeGreaterThan(30);
    expect(callsIn('$ sudo edge-agent doctor --only "chat.db" | less; edge-agent run')).toEqual([
      ['doctor', '--only', 'chat.db'],
      ['run'],
    ]);
    expect(callsIn('tail -f ~/Library/Logs/edge-agent/edge-agent.log')).toEqual([]);
  });

  it('are known to the program, and so are their options', async () => {
    const refused = [];
    for (const { page, words } of calls) {
      const why = await refusalOf(words);
      if (why !== undefined) refused.push(`${page}: edge-agent ${words.join(' ')}: ${why}`);
    }
    expect(refused).toEqual([]);
  });

  it('would be refused with a word that is wrong', async () => {
    expect(await refusalOf(['statsu'])).toBe('no subcommand statsu');
    expect(await refusalOf(['schedule', 'lsit'])).toBe('no subcommand lsit');
    expect(await refusalOf(['status', '--jsno'])).toBe('status has no option --jsno');
  });
});
