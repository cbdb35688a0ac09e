import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { SecretSource, type SecretSourceOptions } from '../../src/config/SecretSource.ts';
import { tempDir } from '../support/tempDir.ts';

const sourceFile = resolve(import.meta.dirname, '../../src/config/SecretSource.ts');
const keychain = { service: 'edge-agent', account: 'edge_15550100001' };

function source(options: Partial<SecretSourceOptions>): SecretSource {
  return new SecretSource({
    environment: undefined,
    file: undefined,
    keychain: undefined,
    readKeychain: () => Promise.reject(new Error('not to be asked')),
    ...options,
  });
}

function secretFile(text: string, mode = 0o600): string {
  const file = join(tempDir(), 'secret');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

describe('SecretSource', () => {
  it('takes the environment before the file before the Keychain', async () => {
    const file = secretFile('from-file\n');
    const all = { environment: 'from-env', file, keychain, readKeychain: async () => 'from-keychain\n' };
    expect(source(all).current()).toBe('from-env');
    expect(source({ ...all, environment: '' }).current()).toBe('from-file');
    const last = source({ ...all, environment: undefined, file: undefined });
    await last.load();
    expect(last.current()).toBe('from-keychain');
  });

  it('says what to set when nothing is', () => {
    const secrets = source({});
    expect(secrets.current()).toBeUndefined();
    expect(secrets.problem).toMatchObject({ code: 'EDGE_SECRET_MISSING' });
  });

  it.each([0o640, 0o604, 0o660, 0o777])('does not use a file of mode %o', (mode) => {
    const secrets = source({ file: secretFile('canary', mode) });
    expect(secrets.current()).toBeUndefined();
    expect(secrets.problem).toMatchObject({ code: 'EDGE_SECRET_FILE_MODE' });
    expect(secrets.problem?.message).not.toContain('canary');
  });

  it('does not wait at a FIFO', () => {
    const file = join(tempDir(), 'secret');
    spawnSync('mkfifo', ['-m', '600', file]);
    const code = `import { SecretSource } from ${JSON.stringify(sourceFile)};
      console.log(new SecretSource({ file: ${JSON.stringify(file)} }).current(), 'said')`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { timeout: 5000 });
    expect(stdout.toString()).toBe('undefined said\n');
  });

  it.each([0o600, 0o400])('uses a file of mode %o', (mode) => {
    expect(source({ file: secretFile(' s3cret \n', mode) }).current()).toBe('s3cret');
  });

  it('looks again while there is none, and reads a changed file when told to', () => {
    const file = join(tempDir(), 'secret');
    const secrets = source({ file });
    expect(secrets.current()).toBeUndefined();
    writeFileSync(file, 'first', { mode: 0o600 });
    expect(secrets.current()).toBe('first');
    expect(secrets.problem).toBeUndefined();
    writeFileSync(file, 'second');
    expect(secrets.current()).toBe('first');
    secrets.refresh();
    expect(secrets.current()).toBe('second');
    expect(secrets.known).toBe('second');
  });

  it.each(['', ' \n', 'two\nlines', 'bell\u0007', 'X: 1\r\nY: 2', 'schlüssel', 'x'.repeat(5000)])(
    'refuses %j without repeating it',
    (text) => {
      const secrets = source({ file: secretFile(text) });
      expect(secrets.current()).toBeUndefined();
      expect(secrets.problem).toMatchObject({ code: 'EDGE_SECRET_MISSING' });
      if (text.trim()) expect(secrets.problem?.message).not.toContain(text.trim());
    },
  );

  it('keeps the last value while the Keychain is asked again, and when it refuses, asking once at a time', async () => {
    let answer: () => Promise<string> = async () => 'first';
    const ask = vi.fn(() => answer());
    const secrets = source({ keychain, readKeychain: ask });
    await secrets.load();
    answer = async () => 'second';
    secrets.refresh();
    secrets.refresh();
    expect(secrets.current()).toBe('first');
    expect(ask).toHaveBeenCalledTimes(2);
    await secrets.load();
    expect(secrets.current()).toBe('second');
    answer = () => Promise.reject(new Error('locked'));
    await secrets.load();
    expect(secrets.current()).toBe('second');
    expect(secrets.problem?.message).toBe('the Keychain item edge-agent of edge_15550100001 cannot be read: locked');
  });
});

describe('readKeychain', () => {
  it('tells of each reading that gave another secret, and of no other', async () => {
    const file = secretFile('first');
    const secrets = source({ file });
    await secrets.load();
    const told: (string | undefined)[] = [];
    secrets.onChange(() => told.push(secrets.known));
    const readAgain = async () => {
      secrets.refresh();
      await Promise.resolve();
    };
    await readAgain();
    writeFileSync(file, 'second');
    await readAgain();
    rmSync(file);
    await readAgain();
    writeFileSync(file, 'second', { mode: 0o600 });
    await readAgain();
    expect(told).toEqual(['second', 'second']);
  });

  it('asks the Keychain once more when it was to be read anew in the midst of an answer, which may be the old one', async () => {
    const answers = ['first', 'first', 'second'];
    const secrets = source({ keychain, readKeychain: async () => answers.shift()! });
    await secrets.load();
    secrets.refresh();
    secrets.refresh();
    await vi.waitFor(() => expect(secrets.known).toBe('second'));
  });

  it('tells of a Keychain that answers later', async () => {
    const answers = [Promise.resolve('first'), Promise.resolve('second')];
    const secrets = source({ keychain, readKeychain: () => answers.shift()! });
    await secrets.load();
    const told = new Promise<string | undefined>((done) => secrets.onChange(() => done(secrets.known)));
    secrets.refresh();
    expect(secrets.known).toBe('first');
    expect(await told).toBe('second');
  });
});
