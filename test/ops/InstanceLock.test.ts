import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InstanceLock } from '../../src/ops/InstanceLock.ts';
import { tempDir } from '../support/tempDir.ts';

const source = resolve(import.meta.dirname, '../../src/ops/InstanceLock.ts');

/** Another process that takes the lock, says so and stays. */
async function holder(path: string): Promise<ChildProcess> {
  const code = `import { InstanceLock } from ${JSON.stringify(source)};
    globalThis.lock = InstanceLock.acquire(${JSON.stringify(path)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child.stdout!, 'data');
  return child;
}

describe('InstanceLock', () => {
  it('lets one process in, and the next as soon as that one is killed', async () => {
    const path = join(tempDir(), 'state', 'lock.db');
    const child = await holder(path);
    expect(() => InstanceLock.acquire(path)).toThrow(expect.objectContaining({ code: 'EDGE_ALREADY_RUNNING' }));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = InstanceLock.acquire(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    lock.release();
    InstanceLock.acquire(path).release();
  });

  it('fails at once inside one process too', () => {
    const path = join(tempDir(), 'lock.db');
    const lock = InstanceLock.acquire(path);
    expect(() => InstanceLock.acquire(path)).toThrow(expect.objectContaining({ code: 'EDGE_ALREADY_RUNNING' }));
    lock.release();
  });

  it('waits out one that is on its way out', async () => {
    const path = join(tempDir(), 'lock.db');
    const code = `import { InstanceLock } from ${JSON.stringify(source)};
      const lock = InstanceLock.acquire(${JSON.stringify(path)}); console.log('held');
      setTimeout(() => lock.release(), 50);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout!, 'data');
    InstanceLock.acquire(path).release();
  });

  it('says when the directory cannot be used', () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    expect(() => InstanceLock.acquire(join(file, 'lock.db'))).toThrow(
      expect.objectContaining({ code: 'EDGE_STATE_DIR' }),
    );
  });
});
