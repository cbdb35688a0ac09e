import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderExample, renderTable } from '../../src/config/documents.ts';
import { KEYS } from '../../src/config/keyList.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { configSchema } from '../../src/config/schema.ts';

const example = resolve(import.meta.dirname, '../../config.yaml.example');
const page = resolve(import.meta.dirname, '../../docs/CONFIGURATION.md');
const required = { edge: { agent_id: 'edge_15550100001' }, backend: { url: 'https://backend.example.com' } };

describe('config.yaml.example', () => {
  it('is what the schema says', async () => {
    await expect(renderExample()).toMatchFileSnapshot(example);
  });

  it('is a valid configuration that changes no default', () => {
    expect(configSchema.parse(parse(readFileSync(example, 'utf8')))).toEqual(configSchema.parse(required));
    expect(loadConfig(example).edge.agent_id).toBe('edge_15550100001');
  });

  it('shows every key, and stays valid when the optional ones are switched on', () => {
    const all = readFileSync(example, 'utf8').replaceAll(/^( +)# (\w+: \S+)$/gm, '$1$2');
    const data = parse(all);
    configSchema.parse(data);
    for (const key of KEYS) {
      const owner = key.path.slice(0, -1).reduce((at, name) => at[name], data);
      expect(owner, key.path.join('.')).toHaveProperty(key.path.at(-1)!);
    }
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
});
