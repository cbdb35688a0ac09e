import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { edgeAgent } from '../cli/edgeAgent.ts';
import { BROKEN } from '../config/brokenFiles.ts';
import { tempDir } from '../support/tempDir.ts';
import { plainCase } from './harness/plainCase.ts';

/** Programs at once: each waits for the disk as much as it computes. */
const AT_ONCE = 4;

plainCase('O1 refuses every broken configuration with exit code 78, all problems at once, and creates nothing', {
  async run() {
    const left = [...BROKEN];
    await Promise.all(Array.from({ length: AT_ONCE }, () => next(left)));
    return { runs: BROKEN.length, note: `${BROKEN.length} files` };
  },
});

async function next(left: (typeof BROKEN)[number][]): Promise<void> {
  for (let one = left.shift(); one; one = left.shift()) await refused(...one);
}

async function refused(name: string, text: string | Buffer, problems: readonly (string | RegExp)[]): Promise<void> {
  const cwd = tempDir();
  const file = join(cwd, 'config.yaml');
  writeFileSync(file, text);
  const { code, out, err } = await edgeAgent(['run', '--config', file], { cwd, env: { HOME: cwd } });
  expect.soft({ code, out }, name).toEqual({ code: 78, out: '' });
  const places = err.split('\n').filter((line) => line.startsWith(file));
  const told = places.map((line) => line.replace(`${file}:`, '').replace(file, ''));
  expect.soft(told, name).toEqual(problems.map((one) => (typeof one === 'string' ? one : expect.stringMatching(one))));
  expect.soft(err, name).not.toContain('canary');
  expect.soft(readdirSync(cwd), name).toEqual(['config.yaml']);
}
