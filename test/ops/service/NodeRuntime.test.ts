import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runProgram } from '../../../src/ops/macos/programs.ts';
import { NodeRuntime } from '../../../src/ops/service/NodeRuntime.ts';
import { signatureAdvice } from '../../../src/ops/service/nodeSignature.ts';
import { installStandIns } from '../../../src/simulator/standIns/installStandIns.ts';
import { FakeClock } from '../../support/FakeClock.ts';
import { tempDir } from '../../support/tempDir.ts';

afterEach(() => void vi.unstubAllEnvs());

const clock = new FakeClock(Date.UTC(2026, 0, 2));
/** A Node as small as a shell script, so that no test copies a hundred megabytes: says its version and runs nothing. */
function fakeNode(version: string, more = ''): string {
  const path = join(tempDir(), 'node');
  writeFileSync(path, `#!/bin/bash\n${more}\necho ${version}\n`, { mode: 0o755 });
  return path;
}
function runtime(dir = join(tempDir(), 'Application Support/runtime')) {
  return { dir, node: new NodeRuntime({ dir, run: runProgram, clock }) };
}
const keep = (node: NodeRuntime, source: string, more: object = {}) =>
  node.keep({ source, packageVersion: '0.2.0', ...more });
const record = (dir: string) => JSON.parse(readFileSync(join(dir, 'installed.json'), 'utf8'));

describe('the private Node', () => {
  it('is a copy of the real file at a fixed place, tried before it is taken, with a record of what it is', async () => {
    const { dir, node } = runtime();
    const source = fakeNode('26.10.0');
    const link = join(tempDir(), 'link');
    symlinkSync(source, link);
    expect(await keep(node, link)).toMatchObject({
      path: join(dir, 'bin/edge-agent-node'),
      version: '26.10.0',
      outcome: 'made',
      needsPermissions: true,
    });
    expect(readFileSync(node.path)).toEqual(readFileSync(source));
    expect((statSync(node.path).mode & 0o777).toString(8)).toBe('755');
    expect((statSync(dir).mode & 0o777).toString(8)).toBe('700');
    expect(record(dir)).toMatchObject({
      node_version: '26.10.0',
      node_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      package_version: '0.2.0',
      source,
      installed_at: '2026-01-02T00:00:00.000Z',
    });
    expect(existsSync(`${node.path}.next`)).toBe(false);
    expect(await node.changed()).toBeUndefined();
  });

  it('loads the SQLite module of this program: the Node that runs this does', async () => {
    const { node } = runtime();
    expect(await keep(node, process.execPath)).toMatchObject({ outcome: 'made', version: process.versions.node });
  });

  it('stays as it is with each upgrade, because another file has no permissions', async () => {
    const { dir, node } = runtime();
    await keep(node, fakeNode('24.0.0'));
    const before = { text: readFileSync(node.path, 'utf8'), record: record(dir) };
    expect(await keep(node, fakeNode('26.10.0'), { packageVersion: '9.9.9' })).toMatchObject({
      outcome: 'kept',
      version: '24.0.0',
      needsPermissions: false,
    });
    expect({ text: readFileSync(node.path, 'utf8'), record: record(dir) }).toEqual(before);
  });

  it('is replaced where that is asked for, and says that the permissions are to be given again', async () => {
    const { node } = runtime();
    await keep(node, fakeNode('24.0.0'));
    expect(await keep(node, fakeNode('26.10.0'), { replace: true })).toMatchObject({
      outcome: 'replaced',
      reason: 'a new one was asked for',
      version: '26.10.0',
      needsPermissions: true,
    });
    expect(await keep(node, node.path, { replace: true })).toMatchObject({ outcome: 'kept', needsPermissions: false });
  });

  it.each([
    ['too old', '22.17.1', '', 'Node 22.17.1 is too old'],
    [
      'of another kind',
      '26.0.0',
      'echo 26.0.0; echo "Error: wrong architecture" >&2; exit 1',
      'Error: wrong architecture',
    ],
    ['lacking its libraries', '', 'echo "dyld: Library not loaded: libnode.dylib" >&2; exit 6', 'Library not loaded'],
  ])('is not made of a Node that is %s, and the one there stays', async (_what, version, more, words) => {
    const { dir, node } = runtime();
    await keep(node, fakeNode('24.0.0'));
    const before = readFileSync(node.path, 'utf8');
    const failed = expect(keep(node, fakeNode(version, more), { replace: true })).rejects;
    await failed.toMatchObject({ code: 'EDGE_NODE_COPY', message: expect.stringContaining(words) });
    expect(readFileSync(node.path, 'utf8')).toBe(before);
    expect(existsSync(`${node.path}.next`)).toBe(false);
    expect(record(dir).node_version).toBe('24.0.0');
    expect(await node.changed()).toBeUndefined();
  });

  it('is replaced without being asked where the one there no longer does', async () => {
    const { node } = runtime();
    await keep(node, fakeNode('24.0.0'));
    writeFileSync(node.path, '#!/bin/bash\necho 20.1.0\n');
    expect(await keep(node, fakeNode('26.10.0'))).toMatchObject({
      outcome: 'replaced',
      reason: 'Node 20.1.0 is too old; 22.18 or newer is needed',
      needsPermissions: true,
    });
  });

  it('cannot be made of what is not there', async () => {
    const { node } = runtime();
    await expect(keep(node, '/nowhere/node')).rejects.toMatchObject({ code: 'EDGE_NODE_COPY' });
  });
});

describe('a private Node that is another one than was installed', () => {
  it('is told, until the next install takes it for good', async () => {
    const { node } = runtime();
    await keep(node, fakeNode('24.0.0'));
    copyFileSync(fakeNode('24.0.0', '# another'), node.path);
    expect(await node.changed()).toBe(
      `${node.path} is not the file that was installed there (Node 24.0.0, installed 2026-01-02T00:00:00.000Z)`,
    );
    expect(await keep(node, fakeNode('26.10.0'))).toMatchObject({ outcome: 'kept', needsPermissions: true });
    expect(await node.changed()).toBeUndefined();
  });

  it('is not told of one that was only touched, as by a restore', async () => {
    const { node } = runtime();
    await keep(node, fakeNode('24.0.0'));
    utimesSync(node.path, 1, 1);
    expect(await node.changed()).toBeUndefined();
    writeFileSync(node.path, readFileSync(node.path, 'utf8').replace('24', '42'));
    expect(await node.changed()).toContain('is not the file that was installed');
  });

  it('is told when the file is gone, or its record cannot be read', async () => {
    const { dir, node } = runtime();
    expect(await node.changed()).toBeUndefined();
    await keep(node, fakeNode('24.0.0'));
    rmSync(node.path);
    expect(await node.changed()).toContain('is gone');
    writeFileSync(join(dir, 'installed.json'), '{}');
    expect(await node.changed()).toContain('cannot be read (it is not a record of a Node)');
  });

  it('is told when another Node runs the agent, unless no copy was made', async () => {
    const { dir, node } = runtime();
    expect(node.foreign(process.execPath)).toBeUndefined();
    await keep(node, fakeNode('24.0.0'));
    expect(node.foreign(process.execPath)).toBe(
      `it runs on ${process.execPath}, and the permissions were given to ${node.path}`,
    );
    symlinkSync(join(dir, 'bin'), join(dir, 'link'));
    expect(node.foreign(join(dir, 'link/edge-agent-node'))).toBeUndefined();
  });

  it('goes with its record, and with nothing else', async () => {
    const { dir, node } = runtime();
    await keep(node, fakeNode('24.0.0'));
    expect(node.files()).toEqual([node.path, join(dir, 'installed.json')]);
    writeFileSync(join(dir, 'letter.txt'), '');
    node.remove();
    expect(node.files()).toEqual([]);
    expect(existsSync(join(dir, 'letter.txt'))).toBe(true);
    rmSync(join(dir, 'letter.txt'));
    node.remove();
    expect(existsSync(dir)).toBe(false);
  });
});

describe('the signature of a Node', () => {
  it.each([
    ['signed', { kind: 'team', team: 'HX7739G8FX' }, undefined],
    ['adhoc', { kind: 'adhoc' }, 'only ad-hoc signed, as Homebrew’s is'],
    ['unsigned', { kind: 'broken' }, 'code object is not signed at all'],
    ['broken', { kind: 'broken' }, 'invalid signature'],
  ])('that is %s is told with what follows from it', async (signed, signature, advice) => {
    const dir = tempDir();
    installStandIns(join(dir, 'bin'), join(dir, 'state'));
    mkdirSync(join(dir, 'state/codesign'));
    writeFileSync(join(dir, 'state/codesign/default'), signed);
    vi.stubEnv('PATH', `${join(dir, 'bin')}:/usr/bin:/bin`);
    const kept = await keep(runtime().node, fakeNode('26.10.0'));
    expect(kept.signature).toMatchObject(signature);
    const said = signatureAdvice(kept.signature);
    if (advice === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(advice);
  });

  it('is not known where there is no codesign', async () => {
    vi.stubEnv('PATH', '/nowhere:/bin');
    const { signature } = await keep(runtime().node, fakeNode('26.10.0'));
    expect(signature).toMatchObject({ kind: 'unknown' });
    expect(signatureAdvice(signature)).toBeUndefined();
  });
});
