import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { edgeAgent, home, start } from './edgeAgent.ts';

const EXAMPLE = readFileSync(resolve(import.meta.dirname, '../../config.yaml.example'), 'utf8');

/** A copy of the example, with `edge-agent config` to run on it. */
function example(text = EXAMPLE) {
  const dir = tempDir();
  const file = join(dir, 'config.yaml');
  writeFileSync(file, `${text}`, { mode: 0o600 });
  const state = join(dir, 'state');
  if (text === EXAMPLE) writeFileSync(file, text.replace('~/Library/Application Support/edge-agent', state));
  return {
    dir,
    file,
    before: readFileSync(file, 'utf8'),
    config: (...args: string[]) => edgeAgent(['config', ...args, '--config', file]),
    text: () => readFileSync(file, 'utf8'),
  };
}
/** The lines of `after` that are not in `before`, and the other way round. */
function changed(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return [
    ...old.filter((line) => !now.includes(line)).map((line) => `-${line}`),
    ...now.filter((line) => !old.includes(line)).map((line) => `+${line}`),
  ];
}

describe('edge-agent config set', () => {
  it('refuses what would make the file larger than any agent reads', async () => {
    const { config, text } = example();
    const half = `/${'a'.repeat(100_000)}`;
    for (const key of ['state.dir', 'logging.file']) await config('set', key, half);
    const before = text();
    const { code, err } = await config('set', 'imessage.db_path', half);
    expect(code).toBe(78);
    expect(err).toMatch(/would have \d+ bytes, expected at most 262144/);
    expect(text()).toBe(before);
  });

  it.each(['__proto__.x', 'constructor.x'])('does not know %s', async (name) => {
    const { code, err } = await example().config('set', name, '1');
    expect(code).toBe(78);
    expect(err).toContain('is not a known key');
  });

  it('changes one line of a file with comments, and says when it is in force', async () => {
    const { config, before, text } = example();
    const { code, out, err } = await config('set', 'logging.level', 'debug');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^logging\.level is "debug" now in .*config\.yaml\n.*in force from the next start\.\n$/);
    expect(changed(before, text())).toEqual(['-  level: info', '+  level: debug']);
  });

  it('puts a key that is not set where the example speaks of it', async () => {
    const { config, before, text } = example();
    await config('set', 'edge.secret_keychain_service', 'edge-agent');
    expect(changed(before, text())).toEqual([
      '-  # secret_keychain_service: edge-agent',
      '+  secret_keychain_service: edge-agent',
    ]);
    await config('unset', 'edge.secret_keychain_service');
    expect(changed(before, text())).toEqual(['-  # secret_keychain_service: edge-agent']);
  });

  it('adds keys and sections to a file somebody wrote, whose layout stays', async () => {
    const own =
      'edge: # who\n    agent_id:   mini   # the id\nbackend:\n    url: "https://b.example" # here\n\n\n# end\n';
    const { config, text } = example(own);
    await config('set', 'edge.secret_file', 'my secret');
    await config('set', 'monitoring.port', '9100');
    expect(text()).toBe(
      `${own.replace('# the id\n', '# the id\n    secret_file: my secret\n')}\nmonitoring:\n  port: 9100\n`,
    );
  });

  it('takes a number for a text where the key is a text, and lists', async () => {
    const { config, text } = example();
    expect((await config('set', 'edge.agent_id', '42')).code).toBe(0);
    expect((await config('set', 'privacy.threads.deny', '[service:SMS, "+15550100002"]')).code).toBe(0);
    expect(text()).toContain('\n  agent_id: "42"\n');
    const { out } = await config('get', 'privacy.threads.deny');
    expect(JSON.parse(out)).toEqual(['service:SMS', '+15550100002']);
  });

  it.each([
    ['an unknown key', ['set', 'logging.levle', 'debug'], 'did you mean logging.level?'],
    ['a section', ['set', 'logging', 'debug'], 'name one of its keys: logging.level, logging.file'],
    ['a secret', ['set', 'edge.secret', 'x'], 'secrets do not go into this file'],
    ['a value that the schema refuses', ['set', 'monitoring.port', '99999'], 'expected a whole number from 0 to 65535'],
    ['a URL in the clear', ['set', 'backend.url', 'http://b.example.com'], 'backend.allow_insecure: true allows it'],
    ['to take out what must be there', ['unset', 'backend.url'], 'backend.url: is missing'],
  ])('refuses %s, with the file as it was', async (_what, args, message) => {
    const { config, dir, before, text } = example();
    const { code, out, err } = await config(...args);
    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err).toContain(message);
    expect(err).toMatch(/\nNothing was changed\.\n$/);
    expect(text()).toBe(before);
    expect(readdirSync(dir)).toEqual(['config.yaml']);
  });

  it('mends a file that has a problem, and names those that are left', async () => {
    const { config, text } = example('edge:\n  agent_id: a b\nbackend:\n  url: nonsense\n');
    const { code, err } = await config('set', 'edge.agent_id', 'mini');
    expect(code).toBe(78);
    expect(err).toContain('backend.url: value was "nonsense"');
    expect(text()).toBe('edge:\n  agent_id: mini\nbackend:\n  url: nonsense\n');
  });

  it('leaves a file alone that is no YAML', async () => {
    const { config, text } = example('edge: [\n');
    const { code, err } = await config('set', 'logging.level', 'debug');
    expect(code).toBe(78);
    expect(err).toContain('not valid YAML');
    expect(text()).toBe('edge: [\n');
  });

  it('keeps the mode of the file and a link to it', async () => {
    const { config, dir, file } = example();
    const real = join(dir, 'kept elsewhere.yaml');
    renameSync(file, real);
    symlinkSync(real, file);
    chmodSync(real, 0o640);
    expect((await config('set', 'logging.level', 'warn')).code).toBe(0);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(readFileSync(real, 'utf8')).toContain('\n  level: warn\n');
  });

  it('says of a running agent whether it takes the key over or needs a restart', async () => {
    const { dir, config, log } = home();
    const { child, ended } = start(['run', '--config', config], { cwd: dir, env: { EDGE_SECRET: 'a-secret' } });
    await waitFor('the control socket', () => statSync(join(dir, 'state/control.sock'), { throwIfNoEntry: false }));
    const soon = await edgeAgent(['config', 'set', 'logging.level', 'debug', '--config', config]);
    expect(soon.out).toContain(`without a restart: kill -HUP ${child.pid}\n`);
    child.kill('SIGHUP');
    await waitFor('the reload', () => readFileSync(log, 'utf8').includes('in force from now: logging.level'));
    const later = await edgeAgent(['config', 'set', 'monitoring.port', '0', '--config', config]);
    expect(later.out).toContain('needs a restart for it: edge-agent service restart\n');
    child.kill('SIGTERM');
    await ended;
  });
});

describe('edge-agent config get', () => {
  it('prints what holds, defaults included', async () => {
    const { config } = example('edge:\n  agent_id: mini\nbackend:\n  url: https://b.example.com\n');
    expect((await config('get', 'edge.agent_id')).out).toBe('mini\n');
    expect((await config('get', 'sending.rate.per_minute')).out).toBe('60\n');
    expect((await config('get', 'edge.secret_file', '--json')).out).toBe('null\n');
  });

  it('knows no secret', async () => {
    const { code, err } = await example().config('get', 'edge.secret');
    expect(code).toBe(78);
    expect(err).toContain('secrets do not go into this file');
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });
});
