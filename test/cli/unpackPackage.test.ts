import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unpackPackage } from '../../src/cli/service/unpackPackage.ts';
import { tempDir } from '../support/tempDir.ts';

/** A folder to unpack in, with a file beside it that nobody may touch, and a package to make tarballs of. */
function place() {
  const dir = tempDir();
  const [made, folder, outside] = [join(dir, 'made'), join(dir, 'deep/er/folder'), join(dir, 'outside')];
  mkdirSync(join(made, 'package/dist'), { recursive: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(made, 'package/package.json'), '{}');
  writeFileSync(join(made, 'package/dist/index.js'), 'evil');
  writeFileSync(outside, 'untouched');
  const tar = (...args: string[]) => {
    const { status, stderr } = spawnSync('tar', ['-czPf', join(dir, 'a.tgz'), '-C', made, ...args], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return join(dir, 'a.tgz');
  };
  return { dir, made, folder, outside, tar };
}

describe('unpacking a package', () => {
  it('gives what npm pack put in', async () => {
    const { folder, tar } = place();
    await unpackPackage(tar('package'), folder);
    expect(readdirSync(folder).sort()).toEqual(['dist', 'package.json']);
    expect(readFileSync(join(folder, 'dist/index.js'), 'utf8')).toBe('evil');
  });

  it.each([
    ['a name that leads out of it', (_dir: string) => 'package/../../../../outside'],
    ['a name that begins with ..', (_dir: string) => '../../../outside'],
    ['the name of another place', (dir: string) => join(dir, 'outside')],
  ])('writes nothing outside of the folder for %s', async (_what, nameIn) => {
    const { dir, folder, outside, tar } = place();
    const tarball = tar(
      `--transform=s,^package/dist/index.js$,${nameIn(dir)},`,
      'package/package.json',
      'package/dist/index.js',
    );
    await unpackPackage(tarball, folder).catch(() => {}); // one tar refuses it, another leaves it out
    expect(readFileSync(outside, 'utf8')).toBe('untouched');
    expect(readdirSync(dirname(dirname(folder)))).toEqual(['er']);
  });

  it.each([
    ['a link to a file', (made: string, outside: string) => symlinkSync(outside, join(made, 'package/LICENSE'))],
    [
      'a link to a folder, and a file in it',
      (made: string, outside: string) => symlinkSync(dirname(outside), join(made, 'package/docs')),
    ],
    [
      'a second name of a file',
      (made: string) => linkSync(join(made, 'package/package.json'), join(made, 'package/again')),
    ],
    ['a pipe', (made: string) => spawnSync('mkfifo', [join(made, 'package/LICENSE')])],
    ['orders for npm', (made: string) => writeFileSync(join(made, 'package/dist/.npmrc'), 'ignore-scripts=false\n')],
  ])('refuses %s, and leaves nothing of it', async (_what, add) => {
    const { made, folder, outside, tar } = place();
    add(made, outside);
    await expect(unpackPackage(tar('package'), folder)).rejects.toThrow('was not made by npm pack: it holds ');
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(outside)).toBe(true);
  });

  it('says that a file is no tarball', async () => {
    const { folder, outside } = place();
    await expect(unpackPackage(outside, folder)).rejects.toThrow(/^tar ended with \d+: /);
  });
});
