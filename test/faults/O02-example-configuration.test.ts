import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { KEYS } from '../../src/config/keyList.ts';
import { configSchema } from '../../src/config/schema.ts';
import { edgeAgent } from '../cli/edgeAgent.ts';
import { tempDir } from '../support/tempDir.ts';
import { plainCase } from './harness/plainCase.ts';

const example = resolve(import.meta.dirname, '../../config.yaml.example');
const required = { edge: { agent_id: 'edge_15550100001' }, backend: { url: 'https://backend.example.com' } };

plainCase('O2 takes config.yaml.example as it is, which shows every key and changes no default', {
  async run() {
    const dir = tempDir();
    copyFileSync(example, join(dir, 'config.yaml'));
    const { code, out, err } = await edgeAgent(['check-config', '--json'], { cwd: dir });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({ valid: true, problems: [] });
    expect(readdirSync(dir)).toEqual(['config.yaml']);

    const text = readFileSync(example, 'utf8');
    expect(configSchema.parse(parse(text))).toEqual(configSchema.parse(required));
    const all = parse(text.replaceAll(/^( +)# (\w+: \S+)$/gm, '$1$2'));
    configSchema.parse(all); // also with the optional keys switched on
    for (const { path } of KEYS) {
      const owner = path.slice(0, -1).reduce((at, name) => at[name], all);
      expect(owner, path.join('.')).toHaveProperty(path.at(-1)!);
    }
    return { note: `${KEYS.length} keys and sections` };
  },
});
