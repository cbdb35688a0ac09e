import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProgramResult, RunProgram } from '../../../src/ops/macos/programs.ts';
import { LaunchdService } from '../../../src/ops/service/LaunchdService.ts';
import { readPrintedService } from '../../../src/ops/service/printedService.ts';
import { servicePaths } from '../../../src/ops/service/servicePaths.ts';
import { FakeClock } from '../../support/FakeClock.ts';
import { tempDir } from '../../support/tempDir.ts';

const TARGET = 'gui/501/com.edge-relay.edge-agent';
const PRINTED = `${TARGET} = {
\tactive count = 1
\tpath = /Users/ana/Library/LaunchAgents/com.edge-relay.edge-agent.plist
\ttype = LaunchAgent
\tstate = running

\tenvironment = {
\t\tpid = 1
\t\tpath => /usr/bin
\t}
\tpid = 4242
\tlast exit code = 78: EX_CONFIG
\tlast terminating signal = Killed: 9
}
`;

/** A launchd of one service: `answers` go before what it would say by itself, each once. */
function launchd(answers: Record<string, number[]> = {}) {
  const home = tempDir();
  const clock = new FakeClock();
  const calls: string[] = [];
  let isLoaded = false;
  /** Looks for which the service is still there after its bootout. */
  let lingers = 0;
  const result = (exitCode: number, stdout = ''): ProgramResult => ({
    exitCode,
    stdout,
    stderr: exitCode === 0 ? '' : `failed: ${exitCode}: words\nmore`,
    timedOut: false,
  });
  const run: RunProgram = async (name, args) => {
    const [command = ''] = args;
    if (command !== 'print') calls.push([name, ...args].join(' ').replace(home, 'HOME'));
    if (command === 'bootout') isLoaded = false;
    const code = answers[command]?.shift();
    if (code) return result(code);
    if (command === 'print') {
      const isThere = isLoaded || lingers-- > 0;
      return isThere ? result(0, PRINTED) : result(113);
    }
    if (command === 'bootstrap') isLoaded = true;
    return result(0);
  };
  const service = new LaunchdService({ run, clock, uid: 501, home });
  return {
    service,
    clock,
    calls,
    plist: servicePaths(home).plist,
    home,
    load: () => {
      isLoaded = true;
    },
    linger: (looks: number) => {
      lingers = looks;
    },
  };
}

const PLACED = 'plutil -lint -s HOME/Library/LaunchAgents/com.edge-relay.edge-agent.plist.next';
const LOADED = [
  `launchctl enable ${TARGET}`,
  'launchctl bootstrap gui/501 HOME/Library/LaunchAgents/com.edge-relay.edge-agent.plist',
  `launchctl kickstart ${TARGET}`,
];

describe('the service', () => {
  it('is enabled, bootstrapped and started, its property list readable for all and its log folder not', async () => {
    const { service, calls, plist, home } = launchd();
    await service.install('<plist/>');
    expect(calls).toEqual([PLACED, ...LOADED]);
    expect(readFileSync(plist, 'utf8')).toBe('<plist/>');
    expect((statSync(plist).mode & 0o777).toString(8)).toBe('644');
    expect((statSync(join(home, 'Library/Logs/edge-agent')).mode & 0o777).toString(8)).toBe('700');
    expect(existsSync(`${plist}.next`)).toBe(false);
  });

  it('waits until launchd has let go of the agent that ran, and of its label', async () => {
    const { service, clock, calls, load, linger } = launchd({ bootout: [36], bootstrap: [5, 37] });
    load();
    linger(3);
    const installed = service.install('<plist/>');
    await clock.advance(500);
    expect(calls).toEqual([PLACED, `launchctl bootout ${TARGET}`]);
    await clock.advance(5000);
    await installed;
    const [enable, bootstrap, kickstart] = LOADED;
    expect(calls.slice(2)).toEqual([enable, bootstrap, bootstrap, bootstrap, kickstart]);
  });

  it('bootstraps again while launchd says that it is not ready, and no longer than that', async () => {
    const { service, clock, calls } = launchd({ bootstrap: [5, 37] });
    const installed = service.install('<plist/>');
    await clock.advance(1000);
    await installed;
    expect(calls.filter((call) => call.includes('bootstrap'))).toHaveLength(3);

    const never = launchd({ bootstrap: Array<number>(100).fill(5) });
    const failed = expect(never.service.install('<plist/>')).rejects.toThrow(
      'launchctl bootstrap ended with 5: failed',
    );
    await never.clock.advance(60_000);
    await failed;
    expect(never.calls.filter((call) => call.includes('bootstrap'))).toHaveLength(30);
  });

  it('says at once what launchd refuses for good', async () => {
    const { service, calls } = launchd({ bootstrap: [125] });
    await expect(service.install('<plist/>')).rejects.toMatchObject({
      code: 'EDGE_LAUNCHD',
      message: 'launchctl bootstrap ended with 125: failed: 125: words',
    });
    expect(calls).toHaveLength(3);
  });

  it('leaves everything as it is where plutil finds fault with the property list', async () => {
    const { service, calls, plist, load } = launchd({ '-lint': [1] });
    load();
    await expect(service.install('<plist')).rejects.toThrow('not valid; nothing was changed');
    expect(calls).toEqual([PLACED]);
    expect(existsSync(plist)).toBe(false);
  });

  it('ends when the agent has ended, and gives up on one that does not', async () => {
    const { service, clock, calls, load, linger } = launchd();
    load();
    linger(10);
    let stopped: boolean | undefined;
    const stopping = service.stop().then((was) => {
      stopped = was;
    });
    await clock.advance(1000);
    expect(stopped).toBeUndefined();
    await clock.advance(2000);
    await stopping;
    expect(stopped).toBe(true);
    expect(calls).toEqual([`launchctl bootout ${TARGET}`]);
    expect(await service.stop()).toBe(false);

    const stuck = launchd();
    stuck.load();
    stuck.linger(1e6);
    const failed = expect(stuck.service.stop()).rejects.toThrow('the agent does not end');
    await stuck.clock.advance(60_000);
    await failed;
  });

  it('starts what is installed, and says where nothing is', async () => {
    const { service, calls, plist } = launchd();
    await expect(service.start()).rejects.toThrow('the agent is not installed');
    await service.install('<plist/>');
    calls.length = 0;
    await service.start();
    expect(calls).toEqual([`launchctl kickstart ${TARGET}`]);
    rmSync(plist);
    calls.length = 0;
    await expect(service.restart()).rejects.toThrow('the agent is not installed');
    expect(calls).toEqual([]);
    writeFileSync(plist, '<plist/>');
    await service.stop();
    calls.length = 0;
    await service.start();
    expect(calls).toEqual(LOADED);
    calls.length = 0;
    await service.restart();
    expect(calls).toEqual([`launchctl bootout ${TARGET}`, ...LOADED]);
    expect(await service.uninstall()).toBe(true);
    expect(existsSync(plist)).toBe(false);
    expect(await service.uninstall()).toBe(false);
  });

  it('tells what launchd knows of it', async () => {
    const { service, plist, load } = launchd();
    const nothing = { pid: null, state: null, lastExitCode: null, lastSignal: null };
    const none = { installed: false, loaded: false, running: false, ...nothing, path: plist };
    expect(await service.state()).toEqual(none);
    load();
    const path = '/Users/ana/Library/LaunchAgents/com.edge-relay.edge-agent.plist';
    expect(await service.state()).toEqual({
      installed: false,
      loaded: true,
      running: true,
      pid: 4242,
      state: 'running',
      lastExitCode: 78,
      lastSignal: 'Killed: 9',
      path,
    });
    const odd = launchd({ print: [64] });
    await expect(odd.service.state()).rejects.toMatchObject({ code: 'EDGE_LAUNCHD' });
  });

  it('replaces a property list that somebody else may write by one that launchd accepts', async () => {
    const { service, plist } = launchd();
    await service.install('<plist/>');
    writeFileSync(plist, 'older');
    await service.install('<plist/>');
    expect(readFileSync(plist, 'utf8')).toBe('<plist/>');
  });
});

describe('what launchctl prints', () => {
  it.each([
    ['\tlast exit code = (never exited)\n', {}],
    ['\tpath = (submitted by loginwindow.1)\n\tlast exit code = 0\n', { lastExitCode: 0 }],
    ['\tpid = 12\n\tlast terminating signal = Killed: 9\n', { pid: 12, lastSignal: 'Killed: 9' }],
    ['', {}],
  ])('of %j is read as far as it tells', (text, expected) => {
    const none = { pid: null, state: null, lastExitCode: null, lastSignal: null, path: undefined };
    expect(readPrintedService(text)).toEqual({ ...none, ...expected });
  });
});
