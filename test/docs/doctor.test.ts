import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXAMINED } from '../../src/cli/examined.ts';
import { NEWEST_KNOWN, OLDEST_KNOWN, QUIRKS } from '../../src/ops/doctor/macosQuirks.ts';

const repository = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(repository, 'docs/DOCTOR.md'), 'utf8');
const folder = join(repository, 'src/ops/doctor');
const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));

/** The rows of the table below `## title`, without its head. */
function table(title: string): string[][] {
  const [, section = ''] = page.split(`\n## ${title}\n`);
  const lines = section.split('\n## ')[0]!.split('\n');
  const rows = lines.filter((line) => line.startsWith('| ')).map((line) => line.split('|').slice(1, -1));
  return rows.slice(1).map((cells) => cells.map((cell) => cell.trim()));
}

const rows = table('The checks').map(([name, looksAt, warn, fail, fix]) => ({
  name: name!.replaceAll('`', ''),
  looksAt: looksAt!,
  warn: warn!,
  fail: fail!,
  fix: fix!,
}));
/** The file of a check; that of the connection is in another room. */
const sourceOf = (name: string) => sources.find((source) => source.includes(`name: '${name}'`));
const here = rows.filter(({ name }) => name !== 'connection');

describe('docs/DOCTOR.md', () => {
  it('has every check and no other, in the order in which they are shown', () => {
    expect(rows.map(({ name }) => name)).toEqual([...EXAMINED]);
  });

  it('is about checks that there are, one file each', () => {
    const named = sources.flatMap((source) => [
      ...source.matchAll(/^ {2,4}name: '([^']+)',$|\{ name: '([^']+)', run/gm),
    ]);
    expect(named.map(([, one, other]) => one ?? other).sort()).toEqual(here.map(({ name }) => name).sort());
  });

  it.each(here)('says of $name what it can warn of and fail for', ({ name, warn, fail }) => {
    const source = sourceOf(name)!;
    const throws = name === 'node'; // what it throws is a failure
    expect(warn !== '–').toBe(/\bwarn\b/.test(source.replace(/^import.*$/gm, '')));
    expect(fail !== '–').toBe(throws || /\bfail\b/.test(source.replace(/^import.*$/gm, '')));
  });

  it.each(here)('names the commands and places that $name names', ({ name, fix }) => {
    const source = `${sourceOf(name)!.replaceAll(/\$\{PANE\}/g, '')} npm ci chmod`;
    const quoted = [...fix.matchAll(/`([^`]+)`/g)].map(([, words]) => words!);
    expect(quoted.length).toBeGreaterThan(0);
    expect(quoted.filter((words) => !source.includes(words))).toEqual([]);
  });

  it('has every code that a check can begin with, and no other', () => {
    const codes = (text: string) => [...new Set(text.match(/\bEDGE_[A-Z_]*[A-Z]\b/g))].sort();
    const thrown = ['EDGE_CHATDB_CORRUPT', 'EDGE_CHATDB_MISSING', 'EDGE_CHATDB_READ', 'EDGE_SQLITE_MISSING'];
    const ofOpening = ['EDGE_STATE_NEWER'];
    const notShown = ['EDGE_CHATDB_BUSY', 'EDGE_INTERNAL', 'EDGE_PROGRAM_MISSING', 'EDGE_NOT_RUNNING'];
    const made = codes([...sources, ...thrown, ...ofOpening].join('\n')).filter((code) => !notShown.includes(code));
    expect(codes(page)).toEqual(made);
  });

  it('has the versions of macOS as the code has them', () => {
    expect(table('The versions of macOS')).toEqual(QUIRKS.map(({ from, to, text }) => [`${from}`, `${to}`, text]));
    expect(page).toContain(`\n${OLDEST_KNOWN} to ${NEWEST_KNOWN} are known`);
  });
});
