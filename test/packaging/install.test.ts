import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installedMac } from './installedMac.ts';
import { readPlist } from './readPlist.ts';

const LOADED = [
  'plutil -lint -s',
  'launchctl enable gui/UID/com.edge-relay.edge-agent',
  'launchctl bootstrap gui/UID HOME/Library/LaunchAgents/com.edge-relay.edge-agent.plist',
  'launchctl kickstart gui/UID/com.edge-relay.edge-agent',
];
const LOADED_AGAIN = [LOADED[0], 'launchctl bootout gui/UID/com.edge-relay.edge-agent', ...LOADED.slice(1)];
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('install.sh', () => {
  it('loads an agent described with absolute paths, whatever characters they hold', async () => {
    const mac = installedMac();
    const { code, stderr } = await mac.run('install.sh');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(mac.calls()).toEqual(LOADED);
    expect(mac.isLoaded()).toBe(true);
    expect(mode(mac.plist)).toBe('644');
    expect(readPlist(readFileSync(mac.plist, 'utf8'))).toEqual({
      Label: 'com.edge-relay.edge-agent',
      ProgramArguments: [
        process.execPath,
        resolve(import.meta.dirname, '../../src/index.ts'),
        'run',
        '--config',
        mac.config,
      ],
      WorkingDirectory: mac.home,
      LimitLoadToSessionType: 'Aqua',
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 10,
      ProcessType: 'Interactive',
      ExitTimeOut: 20,
      Umask: 0o077,
      EnvironmentVariables: {
        PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
        HOME: mac.home,
        LANG: 'en_US.UTF-8',
      },
      StandardErrorPath: join(mac.home, 'Library/Logs/edge-agent/edge-agent.stderr.log'),
    });
    expect(mode(join(mac.home, 'Library/Logs/edge-agent'))).toBe('700');
  });

  it('names the two permissions, the file that needs them, and how to see that it runs', async () => {
    const { stdout } = await installedMac().run('install.sh');
    expect(stdout).toContain(`for exactly this file:\n\n  ${process.execPath}\n`);
    expect(stdout).toContain('Full Disk Access');
    expect(stdout).toContain('Automation');
    expect(stdout).toMatch(/index\.js" status --config ".*config\.yaml"/);
    expect(stdout).toContain('tail -f');
  });

  it('can be run again: the agent that runs is taken out first', async () => {
    const mac = installedMac();
    await mac.run('install.sh');
    const before = readFileSync(mac.plist, 'utf8');
    const { code, stderr } = await mac.run('install.sh');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(mac.calls()).toEqual([...LOADED, ...LOADED_AGAIN]);
    expect(readFileSync(mac.plist, 'utf8')).toBe(before);
    expect(mac.isLoaded()).toBe(true);
  });

  it('waits until launchd has let go of the agent that ran', async () => {
    const mac = installedMac();
    await mac.run('install.sh');
    const { code } = await mac.run('install.sh', [], { env: { LAUNCHCTL_LINGER: '2', LAUNCHCTL_HOLDS: '1' } });
    expect(code).toBe(0);
    expect(mac.isLoaded()).toBe(true);
    expect(mac.calls().filter((call) => call.includes('bootstrap'))).toHaveLength(3);
  });

  it('says what may be the matter when launchd refuses', async () => {
    const mac = installedMac();
    const { code, stderr } = await mac.run('install.sh', [], { env: { LAUNCHCTL_NO_GUI: '1' } });
    expect(code).toBe(70);
    expect(stderr).toMatch(/install\.sh: launchctl bootstrap failed \(125\)\. Is this user logged in at the screen\?/);
  });

  it('loads nothing when the configuration has problems, and leaves an agent that runs alone', async () => {
    const mac = installedMac();
    await mac.run('install.sh');
    const before = readFileSync(mac.plist, 'utf8');
    writeFileSync(mac.config, 'BROKEN: 1\n');
    const { code, stderr } = await mac.run('install.sh');
    expect(code).toBe(78);
    expect(stderr).toContain(`${mac.config}:1:1: BROKEN is not a key`);
    expect(stderr).toContain('nothing was loaded or changed');
    expect(mac.calls()).toEqual(LOADED);
    expect(mac.isLoaded()).toBe(true);
    expect(readFileSync(mac.plist, 'utf8')).toBe(before);
  });

  it('makes a configuration where there is none, says what to fill in, and loads nothing', async () => {
    const mac = installedMac();
    rmSync(dirname(mac.config), { recursive: true });
    const { code, stdout } = await mac.run('install.sh');
    expect(code).toBe(78);
    expect(readFileSync(mac.config, 'utf8')).toBe(readFileSync(join(mac.checkout, 'config.yaml.example'), 'utf8'));
    expect(mode(mac.config)).toBe('600');
    expect(stdout).toContain('edge.agent_id');
    expect(stdout).toContain('backend.url');
    expect(stdout).toMatch(/security add-generic-password .* -w {3}\(asks for it\)/);
    expect(mac.calls()).toEqual([]);
  });

  it('does not load the example before it is filled in', async () => {
    const mac = installedMac();
    writeFileSync(mac.config, readFileSync(join(mac.checkout, 'config.yaml.example')));
    expect((await mac.run('install.sh')).code).toBe(78);
    expect(mac.calls()).toEqual([]);
  });

  it('puts no property list in place that plutil finds fault with', async () => {
    const mac = installedMac();
    const { code } = await mac.run('install.sh', [], { env: { PLUTIL_FAIL: '1' } });
    expect(code).toBe(70);
    expect(existsSync(mac.plist)).toBe(false);
    expect(mac.isLoaded()).toBe(false);
  });

  it('keeps a secret from stdin in a file of mode 0600 and shows it nowhere', async () => {
    const mac = installedMac();
    const secret = 'tr0ub4dor & "three" $HOME `id` \\n';
    const file = join(mac.home, 'new folder/secret');
    const { code, stdout, stderr } = await mac.run('install.sh', ['--secret-file', file], { input: `${secret}\n` });
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(secret);
    expect(mode(file)).toBe('600');
    for (const text of [stdout, stderr, mac.calls().join('\n'), readFileSync(mac.plist, 'utf8')]) {
      expect(text).not.toContain('tr0ub4dor');
    }
  });

  it('tightens the mode of a secret file that is written again', async () => {
    const mac = installedMac();
    const file = join(mac.home, 'secret');
    writeFileSync(file, 'old');
    chmodSync(file, 0o644);
    await mac.run('install.sh', ['--secret-file', file], { input: 'new' });
    expect({ text: readFileSync(file, 'utf8'), mode: mode(file) }).toEqual({ text: 'new', mode: '600' });
  });

  it('writes no empty secret', async () => {
    const mac = installedMac();
    const { code, stderr } = await mac.run('install.sh', ['--secret-file', join(mac.home, 'secret')]);
    expect({ code, stderr }).toEqual({ code: 64, stderr: 'install.sh: the secret is empty; nothing was written\n' });
    expect(existsSync(join(mac.home, 'secret'))).toBe(false);
  });

  it('builds where there is no dist yet, and again when asked to', async () => {
    const mac = installedMac();
    rmSync(join(mac.checkout, 'dist'), { recursive: true });
    expect((await mac.run('install.sh')).code).toBe(0);
    expect((await mac.run('install.sh', ['--build'])).code).toBe(0);
    const build = ['npm ci', 'npm run build'];
    expect(mac.calls()).toEqual([...build, ...LOADED, ...build, ...LOADED_AGAIN]);
  });

  it('refuses a Node that is too old and says where to get another', async () => {
    const mac = installedMac();
    const node = join(mac.home, 'node');
    writeFileSync(node, '#!/bin/bash\necho 20.20.2 /old/node\n', { mode: 0o755 });
    const { code, stderr } = await mac.run('install.sh', ['--node', node]);
    expect(code).toBe(69);
    expect(stderr).toBe(
      'install.sh: Node 20.20.2 (/old/node) is too old; install Node 22.18 or newer from https://nodejs.org, ' +
        'or name one with --node FILE\n',
    );
    expect(mac.calls()).toEqual([]);
  });

  it('warns of a Node whose place changes with each update', async () => {
    const mac = installedMac();
    const node = join(mac.home, 'node');
    writeFileSync(node, '#!/bin/bash\necho "26.10.0 $(dirname "$0")/.nvm/node"\n', { mode: 0o755 });
    const fixed = join(mac.home, '.nvm/node');
    mkdirSync(dirname(fixed));
    symlinkSync(process.execPath, fixed);
    const { stdout } = await mac.run('install.sh', ['--node', node]);
    expect(stdout).toContain('macOS then forgets both');
  });

  it.each([
    [['--confg', 'x'], 'unknown argument: --confg'],
    [['--config'], '--config needs a file'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await installedMac().run('install.sh', args);
    expect(code).toBe(64);
    expect(stderr).toContain(`install.sh: ${message}\n`);
  });

  it.runIf(process.platform !== 'darwin')('says that it is for macOS anywhere else', async () => {
    const { code, stderr } = await installedMac().run('install.sh', [], { env: { EDGE_INSTALL_ALLOW_OS: '' } });
    expect(code).toBe(69);
    expect(stderr).toContain('install.sh: this is for macOS');
  });
});

describe('the shell scripts', () => {
  it('pass shellcheck', () => {
    const repository = resolve(import.meta.dirname, '../..');
    const files = ['scripts/install.sh', 'scripts/uninstall.sh', '.ci/run'];
    const { error, status, stdout } = spawnSync('shellcheck', ['-x', ...files], { cwd: repository, encoding: 'utf8' });
    if (error) console.log('shellcheck is not installed here: the scripts were not checked');
    else expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});
