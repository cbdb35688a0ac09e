import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failStandIn, mendStandIn } from '../../src/simulator/standIns/behave.ts';
import { readXmlPlist } from '../../src/simulator/standIns/xmlPlist.ts';
import { waitFor } from '../support/waitFor.ts';
import { standInsInstalled } from './standInsInstalled.ts';

describe('security -i', () => {
  const find = 'find-generic-password -s edge-agent -a mini';

  it('takes commands from its standard input, with quotes, and ends with the code of the last', async () => {
    const { call } = standInsInstalled();
    const secret = `it's "a" \\ b#c`;
    const quoted = `"${secret.replace(/["\\]/g, '\\$&')}"`;
    const line = `add-generic-password -U -s edge-agent -a mini -w ${quoted}`;
    expect((await call('security', ['-i'], `${line}\n`)).code).toBe(0);
    expect((await call('security', [...find.split(' '), '-w'])).stdout).toBe(`${secret}\n`);
    expect(await call('security', ['-i'], `${line.replace(' -U', '')}\n`)).toMatchObject({ code: 45 });
    const two = await call('security', ['-i'], `delete-generic-password -s no -a one\n${find} -w`);
    expect(two).toMatchObject({ code: 0, stdout: `${secret}\n` });
    expect(two.stderr).toContain('delete-generic-password: returned 44\n');
  });

  it('shows what is not ASCII as digits, and takes a password as digits', async () => {
    const { call } = standInsInstalled();
    await call('security', [
      'add-generic-password',
      '-s',
      's',
      '-a',
      'a',
      '-X',
      Buffer.from('schlüssel').toString('hex'),
    ]);
    expect((await call('security', ['find-generic-password', '-s', 's', '-w'])).stdout).toBe(
      `${Buffer.from('schlüssel').toString('hex')}\n`,
    );
  });

  it.each([
    [36, 'User interaction is not allowed.'],
    [51, 'The user name or passphrase you entered is not correct.'],
    [128, 'User canceled the operation.'],
  ])('fails with %i where a test wants it', async (code, words) => {
    const { call, state } = standInsInstalled();
    writeFileSync(join(state, 'keychain-fails'), `${code}\n`);
    const ended = await call('security', ['find-generic-password', '-s', 's', '-w']);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toContain(words);
    expect((await call('security', ['-i'], 'add-generic-password -s s -a a -w x\n')).code).toBe(code);
  });
});

describe('pmset and caffeinate', () => {
  it('show and set what the Mac does when it is idle', async () => {
    const { call } = standInsInstalled({ power: { sleep: 10 } });
    expect((await call('pmset', ['-g', 'custom'])).stdout).toMatch(/^AC Power:\n womp +1\n autorestart +1\n/);
    expect((await call('pmset', ['-g', 'custom'])).stdout).toMatch(/^ sleep +10$/m);
    await call('pmset', ['-a', 'sleep', '0', 'womp', '0']);
    expect((await call('pmset', ['-g', 'custom'])).stdout).toMatch(/^ sleep +0$[\s\S]*^ womp +0$/m);
  });

  it('hold the Mac awake as long as the process that is watched lives', async () => {
    const { bin, call, state } = standInsInstalled();
    const watched = spawn('sleep', ['100']);
    const child = spawn(join(bin, 'caffeinate'), ['-i', '-m', '-s', '-w', `${watched.pid}`], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await waitFor('the assertion', () => existsSync(join(state, 'caffeinate', `${child.pid}`)));
    const { stdout } = await call('pmset', ['-g', 'assertions']);
    expect(stdout).toMatch(/PreventSystemSleep +1\n/);
    expect(stdout).toContain(`pid ${child.pid}(caffeinate)`);
    watched.kill('SIGKILL');
    expect(await ended).toEqual([0, null]);
    expect((await call('pmset', ['-g', 'assertions'])).stdout).toMatch(/PreventSystemSleep +0\n/);
  });

  it('end with a signal, a time or a program', async () => {
    const { bin, call, state } = standInsInstalled();
    const child = spawn(join(bin, 'caffeinate'), [], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await waitFor('the assertion', () => existsSync(join(state, 'caffeinate', `${child.pid}`)));
    child.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    expect((await call('caffeinate', ['-t', '0'])).code).toBe(0);
    expect((await call('caffeinate', ['-i', 'bash', '-c', 'exit 3'])).code).toBe(3);
  });
});

describe('the stand-ins for what is only looked at', () => {
  it('defaults read, write and delete one key', async () => {
    const { call } = standInsInstalled({ autoLoginUser: null });
    const key = ['/Library/Preferences/com.apple.loginwindow', 'autoLoginUser'];
    const none = await call('defaults', ['read', ...key]);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain(`The domain/default pair of (${key.join(', ')}) does not exist\n`);
    await call('defaults', ['write', ...key, '-string', 'ana']);
    expect((await call('defaults', ['read', ...key])).stdout).toBe('ana\n');
    expect((await call('defaults', ['delete', ...key])).code).toBe(0);
    expect((await call('defaults', ['delete', ...key])).code).toBe(1);
    await call('defaults', ['write', 'a', 'b', '-bool', 'true']);
    expect((await call('defaults', ['read', 'a', 'b'])).stdout).toBe('1\n');
    expect((await standInsInstalled().call('defaults', ['read', ...key])).stdout).toBe('agent\n');
  });

  it('fdesetup tells whether FileVault is on', async () => {
    expect((await standInsInstalled().call('fdesetup', ['status'])).stdout).toBe('FileVault is Off.\n');
    const { call } = standInsInstalled({ fileVault: true });
    expect((await call('fdesetup', ['status'])).stdout).toBe('FileVault is On.\n');
    expect((await call('fdesetup', ['isactive'])).code).toBe(0);
  });

  it('codesign tells a signed file from one that is ad-hoc signed, not signed, or changed', async () => {
    const { call, state, plist, write } = standInsInstalled();
    write('a program');
    expect((await call('codesign', ['-dvv', plist])).stderr).toContain('TeamIdentifier=HX7739G8FX\n');
    expect(await call('codesign', ['--verify', plist])).toMatchObject({ code: 0, stderr: '' });
    expect((await call('codesign', ['--verify', '/nowhere'])).code).toBe(1);
    mkdirSync(join(state, 'codesign'));
    const signed = (how: string) => writeFileSync(join(state, 'codesign', plist.replaceAll('/', ':')), how);
    signed('adhoc');
    expect((await call('codesign', ['-d', '-v', plist])).stderr).toContain('Signature=adhoc\n');
    expect((await call('codesign', ['--verify', '--strict', plist])).code).toBe(0);
    signed('unsigned');
    expect((await call('codesign', ['-dv', plist])).stderr).toBe(`${plist}: code object is not signed at all\n`);
    signed('broken');
    expect((await call('codesign', ['--verify', plist])).code).toBe(1);
  });

  it('tccutil resets a permission', async () => {
    const { call } = standInsInstalled();
    expect((await call('tccutil', ['reset', 'AppleEvents'])).stdout).toBe('Successfully reset AppleEvents\n');
    expect((await call('tccutil', ['reset', 'Nothing'])).code).toBe(70);
  });

  it('plutil converts and extracts', async () => {
    const { call, plist, write } = standInsInstalled();
    const value = { a: ['x & "y"', 1, true, {}], b: { c: '' } };
    write(`<plist version="1.0"><dict><key>a</key><array><string>x &amp; &quot;y&#34;</string><integer>1</integer>
      <true/><dict/></array><!-- <b> --><key>b</key><dict><key>c</key><string/></dict></dict></plist>`);
    expect(JSON.parse((await call('plutil', ['-convert', 'json', '-o', '-', plist])).stdout)).toEqual(value);
    const xml = (await call('plutil', ['-convert', 'xml1', '-o', '-', plist])).stdout;
    expect(readXmlPlist(xml)).toEqual(value);
    expect((await call('plutil', ['-extract', 'a.0', 'raw', '-o', '-', '-'], xml)).stdout).toBe('x & "y"\n');
    expect((await call('plutil', ['-extract', 'a.9', 'raw', '-o', '-', plist])).code).toBe(1);
  });
});

describe('a stand-in that shall fail', () => {
  it('fails so many times, or hangs until it is killed', async () => {
    const { bin, call, state, write, plist } = standInsInstalled();
    failStandIn(state, 'launchctl bootstrap', { exit: 125, stderr: 'Bootstrap failed: 125: no such domain' }, 2);
    write('<plist><dict><key>Label</key>\n<string>a</string></dict></plist>');
    const bootstrap = () => call('launchctl', ['bootstrap', 'gui/501', plist]);
    expect(await bootstrap()).toMatchObject({ code: 125, stderr: 'Bootstrap failed: 125: no such domain\n' });
    expect((await bootstrap()).code).toBe(125);
    expect((await bootstrap()).code).toBe(0);
    failStandIn(state, 'pmset', { hang: true });
    const child = spawn(join(bin, 'pmset'), ['-g'], { stdio: ['ignore', 'pipe', 'pipe'] });
    await once(child, 'spawn');
    child.kill('SIGKILL');
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
    mendStandIn(state, 'pmset');
    expect((await call('pmset', ['-g'])).code).toBe(0);
  });
});
