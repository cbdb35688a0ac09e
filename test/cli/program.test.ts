import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { tempDir } from '../support/tempDir.ts';
import { edgeAgent, home, start } from './edgeAgent.ts';

describe('edge-agent', () => {
  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(await edgeAgent(['--version'])).toMatchObject({ code: 0, out: `${version}\n`, err: '' });
  });

  it('lists its commands, and says where each finds its configuration', async () => {
    const { code, out } = await edgeAgent(['--help']);
    expect(code).toBe(0);
    const commands = [
      'run',
      'status',
      'send',
      'retry',
      'schedule list',
      'schedule cancel',
      'watch',
      'decode',
      'doctor',
      'check-config',
    ];
    for (const name of commands) expect(out).toMatch(new RegExp(`^ {2}${name.split(' ')[0]} `, 'm'));
    const helps = await Promise.all(commands.map((name) => edgeAgent([...name.split(' '), '--help'])));
    for (const help of helps) {
      expect(help.code).toBe(0);
      expect(help.out).toContain('--config <file>');
      expect(help.out).toContain('~/.config/edge-agent/config.yaml');
      expect(help.out).toMatch(/Example:\n {2}edge-agent /);
    }
  });

  it('shows an example in the help of every command, whatever group it is in', async () => {
    const io = { out() {}, err() {}, env: {}, cwd: '.', exit: (code: number) => expect.unreachable(`exit ${code}`) };
    const places = (command: Command, at: string[]): { at: string[]; help: string }[] => {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      return [{ at, help }, ...command.commands.flatMap((sub) => places(sub, [...at, sub.name()]))];
    };
    const all = places(
      buildProgram(io, () => {}),
      ['edge-agent'],
    );
    expect(all.length).toBeGreaterThan(15);
    expect(all.filter(({ at, help }) => !help.includes(`Example`) || !help.includes(`\n  ${at.join(' ')}`))).toEqual(
      [],
    );
    const { out } = await edgeAgent(['schedule', '--help']);
    expect(out).toContain('Example:\n  edge-agent schedule list');
  });

  it('names the command that was meant, with the exit code for wrong usage', async () => {
    const ended = await edgeAgent(['statsu']);
    expect(ended).toMatchObject({ code: 64, out: '' });
    expect(ended.err).toContain('Did you mean status?');
    expect(ended.err).toContain('`edge-agent --help` shows');
    expect((await edgeAgent(['config', 'get'])).err).toContain('`edge-agent config get --help` shows');
    expect((await edgeAgent(['status', '--jsno'])).err).toContain('Did you mean --json?');
    expect((await edgeAgent(['schedule', 'lsit'])).err).toContain('Did you mean list?');
    expect((await edgeAgent(['schedule', 'list', '--staus', 'all'])).err).toContain('Did you mean --status?');
  });

  it.each([
    [[]],
    [['send', '--to', '+15550100002']],
    [['send', '--to', 'a', '--text', 'b', '--wait', 'long']],
    [['retry']],
    [['schedule']],
    [['schedule', 'cancel']],
  ])('refuses %j as wrong usage', async (args) => {
    const { code, out, err } = await edgeAgent(args);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).not.toBe('');
  });

  it('refuses a Node that is too old in one line, before it loads anything', () => {
    const dir = tempDir();
    const source = readFileSync(resolve(import.meta.dirname, '../../src/index.ts'), 'utf8');
    writeFileSync(join(dir, 'index.mjs'), stripTypeScriptTypes(source)); // there is no ./cli beside it to load
    writeFileSync(
      join(dir, 'pretend.mjs'),
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });\n",
    );
    const args = ['--import', './pretend.mjs', 'index.mjs', 'run'];
    const ended = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8' });
    expect(ended).toMatchObject({
      status: 69,
      stdout: '',
      stderr:
        'edge-agent: EDGE_NODE_TOO_OLD: Node 20.20.2 is too old; install Node 22.18 or newer and run the command again.\n',
    });
  });
});

describe('edge-agent check-config', () => {
  it('takes ./config.yaml and says what it found', async () => {
    const { dir } = home();
    const ended = await edgeAgent(['check-config'], { cwd: dir, env: { EDGE_SECRET: 'canary' } });
    expect(ended).toMatchObject({
      code: 0,
      out: 'config.yaml is valid: agent edge_15550100001, backend http://127.0.0.1:9, secret from EDGE_SECRET\n',
      err: '',
    });
    expect(readdirSync(dir)).toEqual(['config.yaml']);
  });

  it('says when the secret file that is named cannot be used', async () => {
    const dir = tempDir();
    const write = (name: string, text: string, mode: number) => writeFileSync(join(dir, name), text, { mode });
    write(
      'config.yaml',
      'edge:\n  agent_id: mini\n  secret_file: key\nbackend:\n  url: https://b.example.com\n',
      0o600,
    );
    const check = () => edgeAgent(['check-config'], { cwd: dir });
    expect(await check()).toMatchObject({ code: 0, err: expect.stringMatching(/EDGE_SECRET_MISSING: .*key.*ENOENT/) });
    write('key', 'canary', 0o644);
    expect(await check()).toMatchObject({ code: 0, err: expect.stringMatching(/EDGE_SECRET_FILE_MODE: .*key.*0644/) });
    rmSync(join(dir, 'key'));
    write('key', 'canary', 0o600);
    expect(await check()).toMatchObject({ code: 0, err: '' });
  });

  it('names every problem with its place on stderr', async () => {
    const { config } = home('logging:\n  level: loud\nmonitring:\n  port: 1\n');
    const ended = await edgeAgent(['check-config', '--config', config]);
    expect(ended).toMatchObject({ code: 78, out: '' });
    expect(ended.err).toContain(`${config}:13:1  not valid YAML: Map keys must be unique\n`);
    expect(ended.err).toContain(`${config}:15:1  monitring: is not a known key; did you mean monitoring?\n`);
  });

  it('prints them as JSON for a program', async () => {
    const { config } = home('monitoring:\n  port: -1\n');
    const ended = await edgeAgent(['check-config', '--json', '--config', config]);
    expect(ended).toMatchObject({ code: 78, err: '' });
    expect(JSON.parse(ended.out)).toMatchObject({
      valid: false,
      problems: [{ file: config, line: 14, column: 9, text: expect.stringContaining('monitoring.port: value was -1') }],
    });
  });
});

describe('edge-agent watch', () => {
  it('says that it waits for a chat.db that is not there, until it is interrupted', async () => {
    const { child, ended } = start(['watch', '--db', join(tempDir(), 'chat.db')]);
    child.stderr!.once('data', () => child.kill('SIGINT'));
    const { code, err } = await ended;
    expect(code).toBe(0);
    expect(err).toMatch(/EDGE_CHATDB_MISSING: [\s\S]*\n {2}This goes on as soon as it can; Ctrl-C ends it\.\n/);
  });
});
