import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type InstalledMac, installedMac } from './installedMac.ts';

const STATE = [
  'control.sock',
  'crash-loop.json',
  'lock.db',
  'lock.db-journal',
  'lock.pid',
  'state.db',
  'state.db-wal',
  'state.db-shm',
  'state.db.v1.bak',
  'state.db.corrupt-1700000000000',
];

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

describe('uninstall.sh', () => {
  it('stops the agent, removes its property list and keeps its data', async () => {
    const mac = installedMac();
    await mac.run('install.sh');
    const files = leaveData(...defaultDirs(mac));
    const { code, stdout } = await mac.run('uninstall.sh');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'com.edge-relay.edge-agent is stopped and taken out of launchd.\n',
    });
    expect(mac.isLoaded()).toBe(false);
    expect(existsSync(mac.plist)).toBe(false);
    expect(files.every((file) => existsSync(file))).toBe(true);
  });

  it('can be run again', async () => {
    const mac = installedMac();
    await mac.run('install.sh');
    await mac.run('uninstall.sh');
    const { code, stdout, stderr } = await mac.run('uninstall.sh');
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'com.edge-relay.edge-agent is not installed.\n',
      stderr: '',
    });
  });

  it('comes back only when the agent has ended', async () => {
    const mac = installedMac();
    await mac.run('install.sh');
    await mac.run('uninstall.sh', [], { env: { LAUNCHCTL_LINGER: '2' } });
    expect((await mac.run('install.sh')).code).toBe(0);
  });

  it('removes a property list whose agent is not loaded, and unloads one whose list is gone', async () => {
    const mac = installedMac();
    await mac.run('install.sh');
    rmSync(mac.plist);
    expect((await mac.run('uninstall.sh')).code).toBe(0);
    expect(mac.isLoaded()).toBe(false);
    writeFileSync(mac.plist, 'left over');
    expect((await mac.run('uninstall.sh')).code).toBe(0);
    expect(existsSync(mac.plist)).toBe(false);
  });

  it('says what --purge would delete and does nothing without --yes', async () => {
    const mac = installedMac();
    rmSync(mac.config);
    const files = leaveData(...defaultDirs(mac));
    const { code, stdout } = await mac.run('uninstall.sh', ['--purge']);
    expect(code).toBe(64);
    expect(stdout.split('\n').slice(1, -1).sort()).toEqual(files.sort());
    expect(files.every((file) => existsSync(file))).toBe(true);
  });

  it('deletes state and logs with --purge --yes', async () => {
    const mac = installedMac();
    await mac.run('install.sh');
    rmSync(mac.config);
    leaveData(...defaultDirs(mac));
    const { code } = await mac.run('uninstall.sh', ['--purge', '--yes']);
    expect(code).toBe(0);
    expect(defaultDirs(mac).map((dir) => existsSync(dir))).toEqual([false, false]);
    expect(mac.isLoaded()).toBe(false);
  });

  it('deletes where the configuration says they are, and only what the agent made', async () => {
    const mac = installedMac();
    const [dir, logs] = [join(mac.home, 'my things'), join(mac.home, 'logs')];
    const files = leaveData(dir, logs);
    const others = ['letter.txt', 'yarn.lock', 'mysqld.sock', 'state.db.mine', 'lock.dbase'].map((name) =>
      join(dir, name),
    );
    for (const other of others) writeFileSync(other, '');
    const config = { state: { dir }, logging: { file: join(logs, 'edge-agent.log') } };
    writeFileSync(mac.config, JSON.stringify(config));
    const { code } = await mac.run('uninstall.sh', ['--purge', '--yes']);
    expect(code).toBe(0);
    expect(files.filter((file) => existsSync(file))).toEqual([]);
    expect(others.filter((other) => !existsSync(other))).toEqual([]);
    expect(existsSync(logs)).toBe(false);
    expect(existsSync(mac.config)).toBe(true);
  });

  it('changes nothing when the configuration does not say where they are', async () => {
    const mac = installedMac();
    await mac.run('install.sh');
    writeFileSync(mac.config, 'BROKEN');
    const { code, stderr } = await mac.run('uninstall.sh', ['--purge', '--yes']);
    expect(code).toBe(78);
    expect(stderr).toContain('nothing was changed');
    expect(mac.isLoaded()).toBe(true);
  });
});
