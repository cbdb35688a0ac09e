import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plistProblem } from '../../src/simulator/standIns/plistLint.ts';
import { run, send, simulatedMac } from './simulatedMac.ts';
import { standInsInstalled } from './standInsInstalled.ts';

const PLIST = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <!-- who -->
  <key>Label</key>
  <string>org.example.agent</string>
  <key>ProgramArguments</key>
  <array><string>/bin/a &amp; b</string><string/></array>
  <key>RunAtLoad</key>
  <true/>
</dict>
</plist>
`;

function installed() {
  const stands = standInsInstalled();
  stands.write(PLIST);
  return stands;
}

describe('the launchctl stand-in', () => {
  const service = 'gui/501/org.example.agent';

  it('bootstraps a service once and boots it out once', async () => {
    const { call, plist } = installed();
    expect((await call('launchctl', ['print', service])).code).toBe(113);
    expect((await call('launchctl', ['kickstart', '-k', service])).code).toBe(113);
    expect((await call('launchctl', ['bootstrap', 'gui/501', plist])).code).toBe(0);
    expect(await call('launchctl', ['bootstrap', 'gui/501', plist])).toMatchObject({
      code: 5,
      stderr: 'Bootstrap failed: 5: Input/output error\n',
    });
    expect((await call('launchctl', ['print', service])).stdout).toContain('state = running');
    expect((await call('launchctl', ['kickstart', '-k', service])).code).toBe(0);
    expect((await call('launchctl', ['bootout', service])).code).toBe(0);
    expect((await call('launchctl', ['bootout', service])).code).toBe(3);
    expect((await call('launchctl', ['print', service])).stderr).toContain('Could not find service');
  });

  it('boots out by plist, and bootstraps no disabled service', async () => {
    const { call, plist } = installed();
    await call('launchctl', ['disable', service]);
    expect((await call('launchctl', ['bootstrap', 'gui/501', plist])).code).toBe(5);
    await call('launchctl', ['enable', service]);
    expect((await call('launchctl', ['bootstrap', 'gui/501', plist])).code).toBe(0);
    expect((await call('launchctl', ['bootout', 'gui/501', plist])).code).toBe(0);
  });

  it('notes every call', async () => {
    const { call, state } = installed();
    await call('launchctl', ['enable', service]);
    expect(readFileSync(join(state, 'calls.log'), 'utf8')).toBe(`launchctl enable ${service}\n`);
  });
});

describe('the security stand-in', () => {
  it('keeps a password under service and account', async () => {
    const { call, state } = installed();
    const item = ['-s', 'edge/relay', '-a', 'mac-1'];
    expect((await call('security', ['find-generic-password', ...item, '-w'])).code).toBe(44);
    expect((await call('security', ['add-generic-password', ...item, '-w', 's e"cret'])).code).toBe(0);
    expect(await call('security', ['find-generic-password', ...item, '-w'])).toMatchObject({
      code: 0,
      stdout: 's e"cret\n',
    });
    expect((await call('security', ['add-generic-password', ...item, '-w', 'other'])).code).toBe(45);
    expect((await call('security', ['add-generic-password', ...item, '-U', '-w'], 'other\n')).code).toBe(0);
    expect((await call('security', ['find-generic-password', '-s', 'edge/relay', '-w'])).stdout).toBe('other\n');
    expect((await call('security', ['delete-generic-password', ...item])).code).toBe(0);
    expect((await call('security', ['find-generic-password', ...item, '-w'])).code).toBe(44);
    expect(readFileSync(join(state, 'calls.log'), 'utf8')).not.toContain('cret');
  });

  it('keeps it from others', async () => {
    const { call, state } = installed();
    await call('security', ['add-generic-password', '-s', 's', '-a', 'a', '-w', 'x']);
    expect(statSync(join(state, 'keychain/s/a')).mode & 0o777).toBe(0o600);
  });
});

describe('the plutil stand-in', () => {
  it('passes a sound property list and fails a broken one', async () => {
    const { call, plist } = installed();
    expect(await call('plutil', ['-lint', plist])).toMatchObject({ code: 0, stdout: `${plist}: OK\n` });
    writeFileSync(plist, PLIST.replace('</array>', ''));
    const broken = await call('plutil', ['-lint', plist]);
    expect(broken.code).toBe(1);
    expect(broken.stdout).toContain('</dict> closes <array>');
    expect((await call('plutil', ['-lint', '/nowhere.plist'])).code).toBe(1);
  });

  it.each([
    ['a bare ampersand', PLIST.replace('&amp;', '&')],
    ['a value without a key', PLIST.replace('<key>RunAtLoad</key>', '')],
    ['a key in an array', PLIST.replace('<string/>', '<key>x</key>')],
    ['a tag it does not know', PLIST.replaceAll('dict', 'map')],
    ['an end that is missing', PLIST.replace('</plist>', '')],
    ['two values at the top', PLIST.replace('</dict>', '</dict><true/>')],
    ['text between tags', PLIST.replace('<true/>', 'yes<true/>')],
    ['text after the end', `${PLIST}x`],
    ['no property list at all', '<dict></dict>'],
    ['a stray <', PLIST.replace('/bin/a', '< /bin')],
  ])('finds %s', (_, xml) => {
    expect(plistProblem(PLIST)).toBeUndefined();
    expect(plistProblem(xml)).toBeTypeOf('string');
  });
});

describe('the open and sw_vers stand-ins', () => {
  it('open Messages again after it quit', async () => {
    const mac = await simulatedMac();
    mac.messages.quit();
    await run(join(mac.binPath, 'open'), ['-g', '-a', 'Messages']);
    expect((await send(mac)).code).toBe(0);
    expect(readFileSync(join(mac.standInStatePath, 'calls.log'), 'utf8')).toBe('open -g -a Messages\n');
  });

  it('tell the version of macOS', async () => {
    const { call } = installed();
    expect((await call('sw_vers', ['-productVersion'])).stdout).toBe('15.7.2\n');
    expect((await call('sw_vers', [])).stdout).toContain('ProductVersion:\t\t15.7.2');
  });
});
