import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configuration } from '../../../src/ops/doctor/configuration.ts';
import { diskSpace } from '../../../src/ops/doctor/diskSpace.ts';
import { fileModes } from '../../../src/ops/doctor/fileModes.ts';
import { nativeModule } from '../../../src/ops/doctor/nativeModule.ts';
import { sleepSettings } from '../../../src/ops/doctor/sleepSettings.ts';
import { runProgram } from '../../../src/ops/macos/programs.ts';
import { systemClock } from '../../../src/util/Clock.ts';
import { tempDir } from '../../support/tempDir.ts';

describe('the check disk', () => {
  const withFree = (free: number) => {
    const dir = tempDir();
    const folders = [join(dir, 'not/there/yet'), dir];
    return diskSpace({ folders, freeBytes: () => free }).run();
  };

  it.each([
    [1_000_000_000, 'pass', '1.0 GB free'],
    [999_999_999, 'warn', '999 MB free'],
    [100_000_000, 'warn', '100 MB free'],
    [99_999_999, 'fail', '99 MB free'],
  ])('judges %i free bytes on the volume of a folder that may not be there yet', (free, status, text) => {
    expect(withFree(free)).toMatchObject({ status, text: expect.stringContaining(text) });
  });
});

describe('the check sleep', () => {
  const pmset = (lines: string) => async () => ({ exitCode: 0, stdout: lines, stderr: '', timedOut: false });
  const programs = { clock: systemClock, isMac: true };

  it('fails where the Mac sleeps and the agent does not keep it awake', async () => {
    const run = pmset(' sleep                10 (sleep prevented by backupd)\n womp 1\n');
    const finding = await sleepSettings({ ...programs, run, keepsAwake: false }).run();
    expect(finding).toMatchObject({ status: 'fail', fix: expect.stringMatching(/^sudo pmset -a sleep 0 \(/) });
  });

  it('does not ask a Mac for a setting that it has not', async () => {
    const run = pmset('Currently in use:\n displaysleep         10\n sleep                0\n');
    expect(await sleepSettings({ ...programs, run, keepsAwake: false }).run()).toMatchObject({ status: 'pass' });
  });
});

describe('the check files', () => {
  it('fails where another user owns one', async () => {
    const path = tempDir();
    const finding = await fileModes({ files: [{ path, mode: 0o700 }], uid: process.getuid!() + 1 }).run();
    expect(finding).toMatchObject({ status: 'fail', fix: `sudo chown "$USER" ${`'${path}'`}` });
  });
});

describe('the check node', () => {
  const shell = { version: 'v26.1.0', path: '/usr/local/bin/node', arch: 'arm64' };
  const programs = { run: runProgram, clock: systemClock };
  const program = join(import.meta.dirname, '../../../src/index.ts');
  /** A Node of the service that says it is another, or does what it likes. */
  const stub = (script: string) => {
    const node = join(tempDir(), 'edge-agent-node');
    writeFileSync(node, `#!/bin/bash\n${script}\n`, { mode: 0o755 });
    return nativeModule({ ...shell, ...programs, service: { node, program } }).run();
  };

  it('says which Node it judged: that of the command where no service is installed', async () => {
    const text = 'Node v26.1.0 for arm64 at /usr/local/bin/node, which runs this command; its SQLite module loads';
    const check = nativeModule({ ...shell, ...programs, service: undefined });
    expect(await check.run()).toMatchObject({ status: 'pass', text });
  });

  it('judges the Node and the module that the service runs where one is installed', async () => {
    const service = { node: process.execPath, program };
    const text = `Node ${process.version} for ${process.arch} at ${process.execPath}, which the service runs; its SQLite module loads`;
    const lacks = { node: process.execPath, program: join(tempDir(), 'index.js') };
    const judge = (service: { node: string; program: string }) =>
      nativeModule({ ...shell, ...programs, service }).run();
    expect(await judge(service)).toMatchObject({ status: 'pass', text });
    expect(await judge(lacks)).toMatchObject({
      status: 'fail',
      text: expect.stringMatching(/^EDGE_SQLITE_MISSING: .*which the service runs: .*Cannot find module/),
      fix: 'edge-agent service install --new-node',
    });
    expect(await judge({ ...service, node: '/gone/node' })).toMatchObject({
      status: 'fail',
      text: 'EDGE_NODE_CHANGED: /gone/node, which the service runs, is gone',
    });
  });

  it('fails a Node of the service that is too old, and does not load the module, which would crash it', async () => {
    // As an older Node would: the script, with its own version.
    const old = `exec ${process.execPath} -e "Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } });$2"`;
    expect(await stub(old)).toMatchObject({
      status: 'fail',
      text: expect.stringMatching(/^EDGE_NODE_TOO_OLD: /),
      fix: 'edge-agent service install --new-node',
    });
    expect(await stub('echo no Node >&2; exit 3')).toMatchObject({
      status: 'warn',
      text: expect.stringContaining('no Node'),
    });
  });
});

describe('the check config', () => {
  const file = "/Users/ana/it's.yaml";

  it('has every problem with its place, and how to test what was mended', () => {
    const check = configuration({ file, exists: true, problems: ['a:1:1  one', 'a:2:1  two'] });
    expect(check.run()).toEqual({
      status: 'fail',
      text: 'EDGE_CONFIG_INVALID: a:1:1  one; a:2:1  two',
      fix: `Correct each place, then: edge-agent check-config --config '/Users/ana/it'\\''s.yaml'`,
    });
    expect(configuration({ file, exists: true, problems: [] }).run()).toMatchObject({ status: 'pass' });
  });
});
