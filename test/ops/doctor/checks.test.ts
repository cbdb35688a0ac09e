import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diskSpace } from '../../../src/ops/doctor/diskSpace.ts';
import { fileModes } from '../../../src/ops/doctor/fileModes.ts';
import { nativeModule } from '../../../src/ops/doctor/nativeModule.ts';
import { sleepSettings } from '../../../src/ops/doctor/sleepSettings.ts';
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
  it('says which Node it is, and that the SQLite module loads', async () => {
    const finding = await nativeModule({ version: 'v26.1.0', path: '/usr/local/bin/node', arch: 'arm64' }).run();
    expect(finding).toMatchObject({ status: 'pass', text: expect.stringContaining('/usr/local/bin/node') });
  });
});
