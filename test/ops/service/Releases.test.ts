import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Releases } from '../../../src/ops/service/Releases.ts';
import { tempDir } from '../../support/tempDir.ts';

const BINARY = 'node_modules/sqlite/build/addon.node';

/** A package with one library, and the folder its releases go to. */
function place(manifest: object = {}) {
  const [source, dir] = [tempDir(), join(tempDir(), 'app')];
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(source, name)), { recursive: true });
    writeFileSync(join(source, name), text);
  };
  write('package.json', JSON.stringify({ version: '1.0.0', dependencies: { sqlite: '*' }, ...manifest }));
  write('dist/index.js', 'program');
  write('node_modules/sqlite/package.json', JSON.stringify({ name: 'sqlite', version: '13.0.0' }));
  write(BINARY, 'for one Node');
  return { source, dir, write, releases: new Releases({ dir, program: 'dist/index.js' }) };
}

describe('a release', () => {
  it('is another one where a library of the same version was built anew', () => {
    const { source, write, releases } = place();
    const first = releases.add(source);
    expect(releases.add(source)).toEqual(first);
    write(BINARY, 'for another');
    const second = releases.add(source);
    expect(second.id).not.toBe(first.id);
    expect(readFileSync(join(second.folder, BINARY), 'utf8')).toBe('for another');
    expect(readFileSync(join(first.folder, BINARY), 'utf8')).toBe('for one Node');
  });

  it.each([
    ['a binary of it is gone', (folder: string) => rmSync(join(folder, BINARY))],
    ['a library of it is gone', (folder: string) => rmSync(join(folder, 'node_modules'), { recursive: true })],
    ['a file of the program is damaged', (folder: string) => writeFileSync(join(folder, 'dist/index.js'), '')],
  ])('is copied anew where %s', (_what, damage) => {
    const { source, dir, releases } = place();
    const first = releases.add(source);
    damage(first.folder);
    expect(releases.add(source)).toEqual(first);
    expect(readFileSync(join(first.folder, BINARY), 'utf8')).toBe('for one Node');
    expect(readFileSync(join(first.folder, 'dist/index.js'), 'utf8')).toBe('program');
    expect(readdirSync(dir)).toEqual([first.id]);
  });

  it('is left as it is where it is whole', () => {
    const { source, releases } = place();
    const { folder } = releases.add(source);
    const { ino } = statSync(folder);
    releases.add(source);
    expect(statSync(folder).ino).toBe(ino);
  });

  it('is the same one where it is copied from itself', () => {
    const { source, releases } = place();
    const first = releases.add(source);
    expect(releases.add(first.folder)).toEqual(first);
  });

  it.each([
    ['a version', { version: '../../../x' }, 'has no version that can be used: "../../../x"'],
    ['a library', { dependencies: { '../../x': '*' } }, '"../../x", which '],
  ])('is not made where %s would lead to another folder', (_what, manifest, message) => {
    const { source, dir, releases } = place(manifest);
    expect(() => releases.add(source)).toThrow(message);
    expect(() => readdirSync(dir)).toThrow('ENOENT');
  });

  it.each(['LICENSE', 'package.json'])('is not made where %s is a device, which may never end', (name) => {
    const { source, dir, releases } = place();
    rmSync(join(source, name), { force: true });
    symlinkSync('/dev/null', join(source, name)); // one that does end, so that this test can fail
    expect(() => releases.add(source)).toThrow(`${join(source, name)} is no file`);
    expect(() => readdirSync(dir)).toThrow('ENOENT');
  });
});
