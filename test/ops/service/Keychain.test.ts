import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type RunProgram, runProgram } from '../../../src/ops/macos/programs.ts';
import { Keychain, securityWord } from '../../../src/ops/service/Keychain.ts';
import { installStandIns } from '../../../src/simulator/standIns/installStandIns.ts';
import { tempDir } from '../../support/tempDir.ts';

afterEach(() => void vi.unstubAllEnvs());

/** A Keychain behind the stand-in for `security`, and all arguments that a program got. */
function keychain() {
  const dir = tempDir();
  installStandIns(join(dir, 'bin'), join(dir, 'state'));
  vi.stubEnv('PATH', `${join(dir, 'bin')}:/usr/bin:/bin`);
  const args: string[] = [];
  const run: RunProgram = (name, given, options) => {
    args.push(name, ...given);
    return runProgram(name, given, options);
  };
  const fails = (code: number) => writeFileSync(join(dir, 'state/keychain-fails'), `${code}`);
  const calls = () => readFileSync(join(dir, 'state/calls.log'), 'utf8');
  return { items: new Keychain({ run }), args, calls, fails };
}
const SECRETS = [
  'plain',
  'with "double" and \'single\' quotes',
  'back\\slash \\" \\\\ at the end\\',
  '  spaces around  ',
  '$HOME `id` $(id) ; quit # -w',
  '-w',
  'deadbeef',
  'x'.repeat(400),
];

describe('the Keychain', () => {
  it.each(SECRETS)('keeps the secret %j as it is, and shows it to no list of processes', async (secret) => {
    const { items, args, calls } = keychain();
    await items.write('edge-agent', 'edge_1', secret);
    expect(await items.read('edge-agent', 'edge_1')).toBe(secret);
    expect(args.filter((arg) => arg.includes(secret) && arg !== '-w')).toEqual([]);
    expect(calls()).not.toContain(secret === '-w' ? 'secret' : secret);
  });

  it('finds the item of an account and a service with any characters', async () => {
    const { items } = keychain();
    await items.write('edge "agent"', 'Žofie \\ 1', 'one');
    await items.write('edge "agent"', 'other', 'two');
    expect(await items.read('edge "agent"', 'Žofie \\ 1')).toBe('one');
  });

  it('gives an item that is there a new password, and deletes it', async () => {
    const { items } = keychain();
    await items.write('edge-agent', 'edge_1', 'old');
    await items.write('edge-agent', 'edge_1', 'new');
    expect(await items.read('edge-agent', 'edge_1')).toBe('new');
    expect(await items.delete('edge-agent', 'edge_1')).toBe(true);
    expect(await items.delete('edge-agent', 'edge_1')).toBe(false);
    await expect(items.read('edge-agent', 'edge_1')).rejects.toThrow('there is no such item');
  });

  it.each(['two\nlines', 'carriage\rreturn', 'nul\0', 'ünïcode', ''])('refuses the secret %j', async (secret) => {
    const { items, args } = keychain();
    await expect(items.write('edge-agent', 'edge_1', secret)).rejects.toMatchObject({ code: 'EDGE_KEYCHAIN' });
    expect(args).toEqual([]);
  });

  it('refuses a secret that is longer than a line of security, and names with a line break', async () => {
    const { items, args } = keychain();
    await expect(items.write('edge-agent', 'edge_1', 'x'.repeat(4096))).rejects.toThrow('too long');
    await expect(items.write('edge-agent', 'a\nb', 'x')).rejects.toThrow('line break');
    expect(args).toEqual([]);
  });

  it.each([
    [36, 'the Keychain is locked'],
    [51, 'the password of the Keychain was wrong'],
    [128, 'was cancelled'],
  ])('says what error %i of security means', async (code, words) => {
    const { items, fails } = keychain();
    fails(code);
    await expect(items.read('edge-agent', 'edge_1')).rejects.toThrow(words);
    await expect(items.write('edge-agent', 'edge_1', 'secret')).rejects.toThrow(words);
    await expect(items.delete('edge-agent', 'edge_1')).rejects.toThrow(words);
  });

  it('does not take a password for kept that reads otherwise, and never repeats it', async () => {
    const says =
      (stdout: string, stderr = '', exitCode = 0): RunProgram =>
      () =>
        Promise.resolve({ exitCode, stdout, stderr, timedOut: false });
    const odd = new Keychain({ run: says('other\n') });
    await expect(odd.write('s', 'a', 'the-secret')).rejects.toThrow('another password than the one written');
    const loud = new Keychain({ run: says('', 'security: unknown command "the-secret"', 1) });
    await expect(loud.write('s', 'a', 'the-secret')).rejects.not.toThrow('the-secret');
    await expect(loud.write('s', 'a', 'the-secret')).rejects.toThrow('unknown command');
  });

  it('says that nobody answered its question', async () => {
    const run: RunProgram = () => Promise.resolve({ exitCode: null, stdout: '', stderr: '', timedOut: true });
    await expect(new Keychain({ run }).read('s', 'a')).rejects.toThrow('nobody answered');
  });
});

it('writes a word of a line so that security reads it as it was', () => {
  expect(securityWord('a "b" \\ \'c\'')).toBe('"a \\"b\\" \\\\ \'c\'"');
});
