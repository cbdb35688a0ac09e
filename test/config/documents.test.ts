import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderExample, renderTable } from '../../src/config/documents.ts';
import { RELOADABLE } from '../../src/config/reload.ts';

const example = resolve(import.meta.dirname, '../../config.yaml.example');
const page = resolve(import.meta.dirname, '../../docs/CONFIGURATION.md');

describe('config.yaml.example', () => {
  it('is what the schema says', async () => {
    await expect(renderExample()).toMatchFileSnapshot(example);
  });
});

describe('docs/CONFIGURATION.md', () => {
  it('has the table of the schema', async () => {
    const updated = readFileSync(page, 'utf8').replace(
      /(<!-- keys -->\n)[\s\S]*(<!-- \/keys -->)/,
      (_all, start: string, end: string) => `${start}\n${renderTable()}\n${end}`,
    );
    expect(updated).toContain('### edge');
    await expect(updated).toMatchFileSnapshot(page);
  });

  it('lists what is taken over on SIGHUP', () => {
    const section = readFileSync(page, 'utf8').split('## Changing it while the agent runs')[1]!.split('\n## ')[0]!;
    const listed = [...section.matchAll(/^- .*$/gm)].flatMap(([line]) => [...line.matchAll(/`([^`]+)`/g)]);
    expect(listed.map(([, key]) => key).sort()).toEqual([...RELOADABLE].sort());
  });
});
