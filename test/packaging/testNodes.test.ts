import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../support/tempDir.ts';
import { runProgram } from './runProgram.ts';

const repository = resolve(import.meta.dirname, '../..');

let checkout: string;

beforeEach(() => {
  checkout = realpathSync(tempDir());
  cpSync(join(repository, 'scripts'), join(checkout, 'scripts'), { recursive: true });
  mkdirSync(join(checkout, 'node_modules/vitest'), { recursive: true });
});

/** `vitest` is the body of the program that stands in for it; `npm` decides what the registry has. */
function testNodes(vitest: string, npm: NodeJS.ProcessEnv = {}) {
  writeFileSync(join(checkout, 'node_modules/vitest/vitest.mjs'), vitest);
  return runProgram(process.execPath, ['scripts/test-nodes.mjs'], {
    cwd: checkout,
    env: {
      ...process.env,
      PATH: `${join(import.meta.dirname, 'standIns')}:${process.env.PATH}`,
      STAND_IN_CALLS: join(checkout, 'npm-calls'),
      REAL_NODE: process.execPath,
      ...npm,
    },
  });
}
const table = (stdout: string) => stdout.slice(stdout.lastIndexOf('Node      result')).trimEnd().split('\n');

describe('test-nodes', () => {
  it('runs the suite on each Node and prints a table', async () => {
    const { code, stdout } = await testNodes("if (process.argv[2] !== 'run') process.exit(9);");
    expect(code).toBe(0);
    expect(table(stdout)).toEqual([
      'Node      result   seconds',
      expect.stringMatching(/^22\.23\.2 {3}passed +\d+$/),
      expect.stringMatching(/^24\.21\.0 {3}passed +\d+$/),
      expect.stringMatching(/^26\.10\.0 {3}passed +\d+$/),
    ]);
  });

  it('runs the other Nodes too when the suite fails on one, and fails', async () => {
    // Only the first folder counts: the suite itself may run on that Node, from further down the PATH.
    const { code, stdout } = await testNodes(
      "process.exit(process.env.PATH.split(':')[0].includes('/24.21.0/') ? 7 : 0);",
    );
    expect(code).toBe(1);
    expect(table(stdout).slice(1)).toEqual([
      expect.stringContaining('passed'),
      expect.stringMatching(/failed .*exit code 7/),
      expect.stringContaining('passed'),
    ]);
  });

  it('skips a Node that npm does not have for this platform, with the reason', async () => {
    const { code, stdout } = await testNodes('', {
      NPM_FAIL_FOR: '24.21.0',
      NPM_FAIL: 'npm error code ETARGET\nnpm error notarget No matching version found for it.',
    });
    expect(code).toBe(0);
    expect(table(stdout)[2]).toMatch(/^24\.21\.0 {3}skipped .*No matching version found/);
  });

  it('fails when a Node cannot be fetched for another reason', async () => {
    const { code, stdout } = await testNodes('', { NPM_FAIL_FOR: '24.21.0', NPM_FAIL: 'npm error code EAI_AGAIN' });
    expect(code).toBe(1);
    expect(table(stdout)[2]).toMatch(/^24\.21\.0 {3}failed .*could not fetch/);
  });

  it('does not pass when there was no Node to run on', async () => {
    const { code } = await testNodes('', { NPM_FAIL: 'npm error code ETARGET' });
    expect(code).toBe(1);
  });
});
