import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installedMac } from './installedMac.ts';

/** Stands in for the built program: says what it was called with. */
const ECHO = 'console.log(JSON.stringify({ node: process.execPath, args: process.argv.slice(2) }));\n';
const NODE = realpathSync(process.execPath);

function checkout(built = true) {
  const mac = installedMac();
  writeFileSync(join(mac.checkout, '../built.js'), ECHO);
  if (built) writeFileSync(join(mac.checkout, 'dist/index.js'), ECHO);
  else rmSync(join(mac.checkout, 'dist'), { recursive: true });
  return mac;
}
const called = (stdout: string) => JSON.parse(stdout.trim().split('\n').at(-1)!);

describe('install.sh', () => {
  it('hands over to the installer of the program, with the Node it found and every option as it was', async () => {
    const mac = checkout();
    const args = ['--agent-id', 'mini 1', '--yes', "--secret-file=it's a file"];
    const { code, stdout, stderr } = await mac.run('install.sh', args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(called(stdout)).toEqual({ node: NODE, args: ['service', 'install', '--node', NODE, ...args] });
    expect(mac.calls()).toEqual([]);
    expect(called((await mac.run('install.sh')).stdout).args).toEqual(['service', 'install', '--node', NODE]);
  });

  it('builds where there is no dist yet, and again when asked to', async () => {
    const mac = checkout(false);
    expect((await mac.run('install.sh')).code).toBe(0);
    expect((await mac.run('install.sh', ['--build'])).code).toBe(0);
    expect((await mac.run('install.sh')).code).toBe(0);
    expect(mac.calls()).toEqual(['npm ci', 'npm run build', 'npm ci', 'npm run build']);
  });

  it('keeps the secret from npm and the scripts of libraries, and hands it to the installer', async () => {
    const mac = checkout(false);
    appendFileSync(join(mac.checkout, '../built.js'), 'process.stderr.write(process.env.EDGE_SECRET);\n');
    expect((await mac.run('install.sh', [], { env: { EDGE_SECRET: 'canary' } })).stderr).toBe('canary');
    expect(mac.calls()).toEqual(['npm ci', 'npm run build']);
  });

  it('installs nothing that was not built, and leaves the standard input to the installer', async () => {
    const mac = checkout(false);
    appendFileSync(join(mac.checkout, '../built.js'), 'process.stdin.pipe(process.stderr);\n');
    const { stderr } = await mac.run('install.sh', ['--secret-stdin'], { input: 'a secret' });
    expect(stderr).toBe('a secret');
    rmSync(join(mac.checkout, 'dist'), { recursive: true });
    const failed = await mac.run('install.sh', [], { env: { NPM_BUILDS: '/nowhere' } });
    expect(failed.code).toBe(69);
    expect(failed.stderr).toContain('install.sh: the program could not be built (see above); nothing was installed');
  });

  it('refuses a Node that is too old, or none, and says where to get another', async () => {
    const mac = checkout();
    const node = join(mac.home, 'node');
    writeFileSync(node, '#!/bin/bash\necho 20.20.2 /old/node\n', { mode: 0o755 });
    const old = await mac.run('install.sh', ['--node', node]);
    expect(old.code).toBe(69);
    expect(old.stderr).toBe(
      'install.sh: Node 20.20.2 (/old/node) is too old; install Node 22.18 or newer from https://nodejs.org, ' +
        'or name one with --node FILE\n',
    );
    expect((await mac.run('install.sh', ['--node', '/nowhere/node'])).code).toBe(69);
    expect((await mac.run('install.sh', ['--node'])).code).toBe(64);
  });

  it('is written for the bash 3.2 of macOS, and finds no fault with shellcheck where that is there', () => {
    const scripts = ['install.sh', 'uninstall.sh'].map((name) => resolve(import.meta.dirname, '../../scripts', name));
    for (const script of scripts) {
      expect(readFileSync(script, 'utf8')).not.toMatch(/declare -A|mapfile|readarray|\$\{\w+(,,|\^\^)|local -n|&>>/);
      expect(spawnSync('bash', ['-n', script]).status).toBe(0);
    }
    const checked = spawnSync('shellcheck', ['-x', ...scripts], { encoding: 'utf8' });
    if (checked.error) return;
    expect(checked.stdout).toBe('');
  });
});
