import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { standInsInstalled } from './standInsInstalled.ts';

const SERVICE = 'gui/501/org.example.agent';

/** A service that is a shell script, really started. */
function service(script: string, more = '') {
  const mac = standInsInstalled({ startServices: { throttleMs: 50 } });
  const errors = join(mac.state, 'stderr.log');
  mac.write(`<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
  <key>Label</key>
  <string>org.example.agent</string>
  <key>ProgramArguments</key>
  <array><string>/bin/bash</string><string>-c</string><string>${script}</string></array>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>ExitTimeOut</key><integer>1</integer>
  <key>StandardErrorPath</key><string>${errors}</string>
  ${more}
</dict></plist>`);
  const launchctl = (...args: string[]) => mac.call('launchctl', args);
  const print = async () => (await launchctl('print', SERVICE)).stdout;
  return {
    ...mac,
    errors: () => (existsSync(errors) ? readFileSync(errors, 'utf8') : ''),
    launchctl,
    print,
    bootstrap: () => launchctl('bootstrap', 'gui/501', mac.plist),
    pid: async () => Number(/pid = (\d+)/.exec(await print())?.[1]),
  };
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

it('starts the program of a service in its environment and ends it with bootout', async () => {
  const { bootstrap, errors, pid, launchctl } = service(
    'echo &quot;$XPC_SERVICE_NAME $A $PATH $(umask)&quot; &gt;&amp;2; exec sleep 100',
    '<key>EnvironmentVariables</key><dict><key>A</key><string>&lt;b&gt;</string></dict><key>Umask</key><integer>63</integer>',
  );
  expect((await bootstrap()).code).toBe(0);
  const running = await pid();
  await waitFor('its words', errors);
  expect(errors()).toMatch(/^org\.example\.agent <b> .*it's bin:\/usr\/bin:.* 0077\n$/);
  expect((await launchctl('list')).stdout).toContain(`${running}\t0\torg.example.agent\n`);
  expect((await launchctl('bootout', SERVICE)).code).toBe(0);
  expect(isAlive(running)).toBe(false);
  expect((await launchctl('print', SERVICE)).code).toBe(113);
});

it('starts again what failed, and not what ended in order', async () => {
  const first = join(tempDir(), 'first');
  const { bootstrap, print, pid } = service(`[ -e ${first} ] || { &gt;${first}; exit 78; }`);
  await bootstrap();
  // What print says is put together from several files, so it is all waited for.
  const signs = ['runs = 2\n', 'last exit code = 0\n', 'state = not running\n'];
  await waitFor('its second end', async () => {
    const text = await print();
    return signs.every((sign) => text.includes(sign));
  });
  expect(await pid()).toBeNaN();
});

it('says which signal ended a service, and starts it again', async () => {
  const { bootstrap, print, launchctl } = service('exec sleep 100');
  await bootstrap();
  await launchctl('kill', 'SIGKILL', SERVICE);
  await waitFor('a second run', async () => (await print()).includes('runs = 2'));
  expect(await print()).toContain('last terminating signal = Killed: 9');
});

it('calls a program or folder that is not there EX_CONFIG', async () => {
  const { bootstrap, print } = service('true', '<key>WorkingDirectory</key><string>/nowhere</string>');
  await bootstrap();
  await waitFor('the failure', async () => (await print()).includes('last exit code = 78: EX_CONFIG'));
});

it('kickstarts: leaves alone what runs, and replaces it with -k', async () => {
  const { bootstrap, pid, launchctl } = service('exec sleep 100');
  await bootstrap();
  const first = await pid();
  expect((await launchctl('kickstart', '-p', SERVICE)).stdout).toBe(`service spawned with pid: ${first}\n`);
  const second = (await launchctl('kickstart', '-kp', SERVICE)).stdout;
  expect(second).toBe(`service spawned with pid: ${await pid()}\n`);
  expect(await pid()).not.toBe(first);
  expect(isAlive(first)).toBe(false);
});

it('kills what does not end in time, and does not wait for it', async () => {
  const { bootstrap, errors, pid, launchctl, print } = service(
    'trap : TERM; echo up &gt;&amp;2; while :; do sleep 0.1; done',
  );
  await bootstrap();
  await waitFor('the trap', errors);
  const running = await pid();
  expect(await launchctl('bootout', SERVICE)).toMatchObject({ code: 36 });
  expect((await bootstrap()).code).toBe(37);
  await waitFor('its end', async () => (await print()) === '');
  expect(isAlive(running)).toBe(false);
  expect((await bootstrap()).code).toBe(0);
});

it('lists what is disabled', async () => {
  const { launchctl } = service('true');
  await launchctl('disable', SERVICE);
  expect((await launchctl('print-disabled', 'gui/501')).stdout).toContain('"org.example.agent" => disabled');
  await launchctl('enable', SERVICE);
  expect((await launchctl('print-disabled', 'gui/501')).stdout).not.toContain('org.example');
  expect((await launchctl('list', 'org.example.agent')).code).toBe(113);
});
