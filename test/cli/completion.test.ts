import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completionScript } from '../../src/cli/completion.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { tempDir } from '../support/tempDir.ts';
import { edgeAgent } from './edgeAgent.ts';

const hasZsh = spawnSync('zsh', ['--version']).status === 0;
const io = { out() {}, err() {}, env: {}, cwd: '.', exit: (code: number) => expect.unreachable(`exit ${code}`) };
const program = buildProgram(io, () => {});
const scripts = { bash: completionScript(program, 'bash'), zsh: completionScript(program, 'zsh') };

it('prints the scripts', async () => {
  expect(await edgeAgent(['completion', 'bash'])).toMatchObject({ code: 0, err: '', out: scripts.bash });
  expect(await edgeAgent(['completion', 'zsh'])).toMatchObject({ code: 0, err: '', out: scripts.zsh });
  expect(await edgeAgent(['completion', 'fish'])).toMatchObject({ code: 64, out: '' });
});

/** What bash offers for the last of the words. */
function offered(...words: string[]): string[] {
  const dir = tempDir();
  writeFileSync(join(dir, 'completion.bash'), scripts.bash);
  const ask = `set -u; source completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _edge_agent
    printf '%s\\n' "\${COMPREPLY[@]-}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', ask, 'bash', 'edge-agent', ...words], {
    cwd: dir,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter(Boolean);
}

describe('the completion for bash', () => {
  it('offers commands, also those of a group', () => {
    expect(offered('')).toEqual(expect.arrayContaining(['run', 'status', 'schedule', 'completion']));
    expect(offered('sta')).toEqual(['status']);
    expect(offered('schedule', '')).toEqual(['list', 'cancel']);
    expect(offered('schedule', 'c')).toEqual(['cancel']);
  });

  it('offers the options of the command, wherever they stand', () => {
    expect(offered('logs', '--l')).toEqual(['--lines', '--level']);
    expect(offered('logs', '-f', '--config', 'a.yaml', '--gr')).toEqual(['--grep']);
    expect(offered('schedule', 'list', '--st')).toEqual(['--status']);
    expect(offered('schedule', '--st')).toEqual([]);
  });

  it('offers the values that an option or argument takes', () => {
    expect(offered('schedule', 'list', '--status', 'e')).toEqual(['expired']);
    expect(offered('logs', '--level', '')).toEqual(['debug', 'info', 'warn', 'error']);
    expect(offered('completion', '')).toEqual(['bash', 'zsh']);
  });

  it('leaves values it does not know, and files, to the shell, and takes none for a command', () => {
    expect(offered('status', '--config', 'sta')).toEqual([]);
    expect(offered('decode', 'b')).toEqual([]);
    expect(scripts.bash).toMatch(/^complete -o default -F _edge_agent edge-agent$/m);
    expect(offered('logs', '--grep', 'schedule', '--le')).toEqual(['--level']);
  });

  it('can be read by the bash of macOS, which is 3.2', () => {
    expect(scripts.bash).not.toMatch(/mapfile|readarray|declare -A|compopt|\$\{\w+(,,|\^\^|@)|\|&/);
  });
});

describe('the completion for zsh', () => {
  it('names each command and option with what it does, without the quotes of the text ending the word', () => {
    expect(scripts.zsh).toMatch(/^#compdef edge-agent\n/);
    expect(scripts.zsh).toContain("'logs:Show the log through all its files, whether the agent runs or not.'");
    expect(scripts.zsh).toContain("' decode')");
    // The one shell that is everywhere finds the end of every word at least.
    const { status, stderr } = spawnSync('bash', ['-n'], { input: scripts.zsh, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.skipIf(!hasZsh)('offers commands and options (where there is a zsh)', () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'completion.zsh'), scripts.zsh);
    const ask = `compdef() { }; _describe() { [[ $1 == -o ]] && shift; print -l -- "\${(@P)2}"; }; _files() { print FILES; }
      source ./completion.zsh; words=("$@"); CURRENT=$#; _edge_agent`;
    const of = (...words: string[]) =>
      spawnSync('zsh', ['-f', '-c', ask, 'zsh', 'edge-agent', ...words], { cwd: dir, encoding: 'utf8' }).stdout;
    expect(of('')).toContain('status:');
    expect(of('schedule', '')).toContain('cancel:');
    expect(of('logs', '-')).toContain('--grep:');
    expect(of('decode', '')).toBe('FILES\n');
  });
});
