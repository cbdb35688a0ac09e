import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageVersion } from '../../src/util/version.ts';

const repository = resolve(import.meta.dirname, '../..');
const text = (name: string) => readFileSync(join(repository, name), 'utf8');
const headings = [...text('CHANGELOG.md').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!);

describe('CHANGELOG.md', () => {
  it('begins with the version of package.json, which the lock file and the programs have too', () => {
    const { version } = JSON.parse(text('package.json'));
    const lock = JSON.parse(text('package-lock.json'));
    expect([headings[0]!.split(' ')[0], lock.version, lock.packages[''].version, packageVersion()]).toEqual(
      Array(4).fill(version),
    );
  });

  it('has a version and its day in each heading, the newest first', () => {
    const versions = headings.map((heading) => {
      expect(heading).toMatch(/^\d+\.\d+\.\d+ \((\d{4}-\d\d-\d\d|unreleased)\)$/);
      return heading.split(' ')[0]!.split('.').map(Number);
    });
    expect(headings.slice(1).filter((heading) => heading.endsWith('(unreleased)'))).toEqual([]);
    expect(versions).toEqual(
      versions.toSorted(([a = 0, b = 0, c = 0], [x = 0, y = 0, z = 0]) => x - a || y - b || z - c),
    );
  });

  it('tells of each something that a person notices', () => {
    for (const section of text('CHANGELOG.md').split(/^## /m).slice(1)) expect(section).toMatch(/^- \S/m);
  });
});
