import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CASES, caseOf } from '../../scripts/faults/cases.ts';

const repository = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(repository, 'docs/GUARANTEES.md'), 'utf8');
/** The rows of cases: the id, the test it links to, and the cells after it. */
const rows = [...page.matchAll(/^\| \[(\w+)\]\(\.\.\/(test\/faults\/[^)]+)\) \| (.+) \|$/gm)].map(
  ([, id, test, cells]) => ({ id: id!, test: test!, cells: cells!.split(' | ') }),
);

describe('docs/GUARANTEES.md', () => {
  it('has every case of the fault suite and no other, in its order', () => {
    expect([...new Set(rows.map(({ id }) => id))].toSorted(byCase)).toEqual(Object.keys(CASES).toSorted(byCase));
    for (const letter of 'CDSHWATO') {
      const shown = rows.map(({ id }) => id).filter((id) => id.startsWith(letter));
      expect(shown).toEqual(shown.toSorted(byCase));
    }
  });

  it('links each case to a test that there is, and that is of the case', () => {
    for (const { id, test } of rows) {
      expect(existsSync(join(repository, test)), test).toBe(true);
      expect([test, caseOf(join(repository, test))]).toEqual([test, id]);
    }
  });

  it('leaves out no test of a case', () => {
    const tests = readdirSync(join(repository, 'test/faults'))
      .map((name) => `test/faults/${name}`)
      .filter((name) => name.endsWith('.test.ts') && caseOf(join(repository, name)) !== undefined);
    const shown = new Set(rows.map(({ test }) => test));
    expect(tests.filter((name) => !shown.has(name))).toEqual([]);
  });

  it('says of each what happens, who sees what, and how long until it heals', () => {
    for (const { id, cells } of rows) {
      expect([id, cells.length]).toEqual([id, 4]);
      expect(
        cells.filter((cell) => cell.trim() === ''),
        id,
      ).toEqual([]);
    }
  });
});

function byCase(a: string, b: string): number {
  return Object.keys(CASES).indexOf(a) - Object.keys(CASES).indexOf(b);
}
