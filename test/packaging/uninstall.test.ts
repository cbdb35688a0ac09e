import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type InstalledMac, installedMac } from './installedMac.ts';

const STATE = [
  'control.sock',
  'crash-loop.json',
  'high-water',
  'lock.db',
  'lock.db-journal',
  'lock.pid',
  'run.json',
  'standby.json',
  'state.db',
  'state.db-wal',
  'state.db-shm',
  'state.db.v1.bak',
  'state.db.corrupt-1700000000000',
];
const STOPPED = 'com.edge-relay.edge-agent is stopped and taken out of launchd.';

/** What an agent leaves behind in `stateDir` and `logDir`. */
function leaveData(stateDir: string, logDir: string): string[] {
  const files = [
    ...STATE.map((name) => join(stateDir, name)),
    join(logDir, 'edge-agent.log'),
    join(logDir, 'edge-agent.log.1'),
  ];
  for (const dir of [stateDir, logDir]) mkdirSync(dir, { recursive: true });
  for (const file of files) writeFileSync(file, '');
  return files;
}
const defaultDirs = (mac: InstalledMac) =>
  [join(mac.home, 'Library/Application Support/edge-agent'), join(mac.home, 'Library/Logs/edge-agent')] as const;
function configure(mac: InstalledMac, more: string): void {
  const text = `edge:\n  agent_id: mini-1\nbackend:\n  url: http://127.0.0.1:9\n${more}`;
  writeFileSync(mac.config, text);
}

describe('uninstall.sh', () => {
  it('stops the agent, removes its property list, keeps its data and says what stays', async () => {
    const mac = installedMac();
    await mac.install();
    const files = leaveData(...defaultDirs(mac));
    const { code, stdout, stderr } = await mac.run('uninstall.sh');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      STOPPED,
      'What stays:',
      `  the configuration: ${mac.config}`,
      '  state, logs, the copies of Node and of the program, and the secret: --purge lists them',
    ]);
    expect(stdout).toContain('Full Disk Access and Automation: take edge-agent-node out of the lists');
    expect(mac.isLoaded()).toBe(false);
    expect(existsSync(mac.plist)).toBe(false);
    expect(files.every((file) => existsSync(file))).toBe(true);
  });

  it('can be run again', async () => {
    const mac = installedMac();
    await mac.install();
    await mac.run('uninstall.sh');
    const { code, stdout, stderr } = await mac.run('uninstall.sh');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('com.edge-relay.edge-agent is not installed.\n');
  });

  it('comes back only when the agent has ended', async () => {
    const mac = installedMac();
    await mac.install();
    expect((await mac.run('uninstall.sh', [], { env: { LAUNCHCTL_LINGER: '2' } })).code).toBe(0);
    await mac.install();
    expect(mac.isLoaded()).toBe(true);
  });

  it('removes a property list whose agent is not loaded, and unloads one whose list is gone', async () => {
    const mac = installedMac();
    await mac.install();
    rmSync(mac.plist);
    expect((await mac.run('uninstall.sh')).stdout).toContain(STOPPED);
    expect(mac.isLoaded()).toBe(false);
    writeFileSync(mac.plist, 'left over');
    expect((await mac.run('uninstall.sh')).stdout).toContain(STOPPED);
    expect(existsSync(mac.plist)).toBe(false);
  });

  it('says what --purge would delete and does nothing without --yes', async () => {
    const mac = installedMac();
    await mac.install();
    rmSync(mac.config);
    const files = leaveData(...defaultDirs(mac));
    const { code, stdout } = await mac.run('uninstall.sh', ['--purge']);
    expect(code).toBe(64);
    expect(stdout.split('\n').slice(1, -1).sort()).toEqual(files.sort());
    expect(files.every((file) => existsSync(file))).toBe(true);
    expect(mac.isLoaded()).toBe(true);
  });

  it('deletes state, logs, backups and the copies of Node and program with --purge --yes', async () => {
    const mac = installedMac();
    await mac.install();
    rmSync(mac.config);
    const [state] = defaultDirs(mac);
    leaveData(...defaultDirs(mac));
    for (const dir of ['runtime/bin', 'app/0.1.0-5ec294e1', 'backups/2026-01-02T03-04-05-006Z'])
      mkdirSync(join(state, dir), { recursive: true });
    for (const file of ['runtime/installed.json', 'backups/2026-01-02T03-04-05-006Z/state.db'])
      writeFileSync(join(state, file), '{}');
    const { code, stderr } = await mac.run('uninstall.sh', ['--purge', '--yes']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(defaultDirs(mac).map((dir) => existsSync(dir))).toEqual([false, false]);
    expect(mac.isLoaded()).toBe(false);
  });

  it('deletes where the configuration says they are, and only what the agent made', async () => {
    const mac = installedMac();
    const [dir, logs] = [join(mac.home, 'my things'), join(mac.home, 'logs')];
    const files = leaveData(dir, logs);
    for (const name of ['holiday', '2026-01-02T03-04-05-006Z'])
      mkdirSync(join(dir, 'backups', name), { recursive: true });
    const others = [
      ...['letter.txt', 'yarn.lock', 'mysqld.sock', 'state.db.mine', 'lock.dbase'],
      ...['backups/holiday/a.jpg', 'backups/2026-01-02T03-04-05-006Z/a.jpg'],
    ];
    for (const other of others) writeFileSync(join(dir, other), '');
    configure(mac, `state:\n  dir: ${JSON.stringify(dir)}\nlogging:\n  file: ${join(logs, 'edge-agent.log')}\n`);
    const { code } = await mac.run('uninstall.sh', ['--purge', '--yes']);
    expect(code).toBe(0);
    expect(files.filter((file) => existsSync(file))).toEqual([]);
    expect(others.filter((other) => !existsSync(join(dir, other)))).toEqual([]);
    expect(existsSync(logs)).toBe(false);
    expect(existsSync(mac.config)).toBe(true);
  });

  it('looks where the configuration that the service runs with says, when none is named', async () => {
    const mac = installedMac();
    const own = join(mac.home, 'own.yaml');
    const dir = join(mac.home, 'own state');
    mkdirSync(dir);
    writeFileSync(join(dir, 'state.db'), '');
    writeFileSync(own, `edge:\n  agent_id: a\nbackend:\n  url: http://127.0.0.1:9\nstate:\n  dir: own state\n`);
    await mac.install(own);
    expect((await mac.run('uninstall.sh', ['--purge', '--yes'])).code).toBe(0);
    expect(existsSync(dir)).toBe(false);
  });

  it('changes nothing when the configuration does not say where they are', async () => {
    const mac = installedMac();
    await mac.install();
    writeFileSync(mac.config, 'BROKEN');
    const { code, stderr } = await mac.run('uninstall.sh', ['--purge', '--yes']);
    expect(code).toBe(78);
    expect(stderr).toContain('nothing was changed');
    expect(mac.isLoaded()).toBe(true);
  });

  it('says how to do it by hand where nothing is built', async () => {
    const mac = installedMac();
    await mac.install();
    rmSync(join(mac.checkout, 'dist'), { recursive: true });
    const { code, stderr } = await mac.run('uninstall.sh');
    expect(code).toBe(69);
    expect(stderr).toContain('launchctl bootout "gui/');
    expect(stderr).toContain(`rm -f "${mac.plist}"`);
    expect(readFileSync(mac.plist, 'utf8')).toContain('<plist');
  });
});
