import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { Progress } from '../../src/cli/service/Progress.ts';
import { type PutInPlace, putInPlace } from '../../src/cli/service/putInPlace.ts';
import { serviceUninstall } from '../../src/cli/service/uninstall.ts';
import { InstanceLock } from '../../src/ops/InstanceLock.ts';
import { servicePaths } from '../../src/ops/service/servicePaths.ts';
import { tempDir } from '../support/tempDir.ts';

it('neither installs, upgrades nor uninstalls while another command does', async () => {
  const home = tempDir();
  vi.stubEnv('HOME', home);
  const { appDir } = servicePaths(home);
  mkdirSync(join(appDir, '1.0.0-x'), { recursive: true });
  const lock = InstanceLock.acquire(join(appDir, 'lock.db'));
  let said = '';
  const tell = (text: string) => {
    said += text;
  };
  const io = { out: tell, err: tell, env: { EDGE_INSTALL_ALLOW_OS: 'Linux' }, cwd: home, exit: () => expect.fail() };
  const source = '/nothing/is/read/from/here';
  const replacing = putInPlace({ source, io, progress: new Progress(io) } as unknown as PutInPlace);
  expect(await replacing).toBe(75);
  expect(await serviceUninstall({ purge: true, yes: true }, io)).toBe(75);
  expect(said).toBe(`${line(process.pid)}${line(process.pid)}`);
  expect(existsSync(join(appDir, '1.0.0-x'))).toBe(true);
  lock.release();
  await expect(putInPlace({ source, io, progress: new Progress(io) } as unknown as PutInPlace)).rejects.toThrow(
    dirname(source),
  );
});

function line(pid: number): string {
  return `edge-agent: another install or upgrade is at work (pid ${pid}), which this would disturb; run this again when it has ended\n`;
}
