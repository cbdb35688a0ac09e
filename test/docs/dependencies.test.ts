import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const repository = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(repository, 'docs/DEPENDENCIES.md'), 'utf8');
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));

/** Package and reason of each row of the table below a heading. */
function rows(heading: string): [string, string][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| (\S+) +\| (.+?) +\|$/gm)]
    .map((match): [string, string] => [match[1]!, match[2]!])
    .filter(([name]) => name !== 'package' && !name.startsWith('-'));
}

describe('docs/DEPENDENCIES.md', () => {
  it.each([
    ['In the package', dependencies],
    ['For development', devDependencies],
  ])('%s: has one line for each dependency and for nothing else', (heading, inPackageJson) => {
    expect(rows(heading).map(([name]) => name)).toEqual(Object.keys(inPackageJson).sort());
  });

  it('gives a reason for each', () => {
    const without = [...rows('In the package'), ...rows('For development')].filter(([, why]) => why.length < 20);
    expect(without).toEqual([]);
  });
});
