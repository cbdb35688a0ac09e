import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from './runProgram.ts';
import { smallSourceTree, write } from './sourceTree.ts';

const build = (dir: string) => runProgram(process.execPath, ['scripts/build.mjs'], { cwd: dir });
const files = (dir: string) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();

describe('the build', () => {
  it('makes two programs that can be executed, and says so in one line', async () => {
    const dir = smallSourceTree();
    const { code, stdout } = await build(dir);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^build: edge-agent, edge-hub \d+\.\d+\.\d+: 2 files in dist, \d+\.\d s\n$/);
    for (const program of ['dist/index.js', 'dist/hub/index.js']) {
      expect(statSync(join(dir, program)).mode & 0o111).toBe(0o111);
      expect((await runProgram(join(dir, program), [])).code).toBe(0);
    }
  });

  it('leaves the simulator out', async () => {
    const dir = smallSourceTree();
    await build(dir);
    expect(files(join(dir, 'dist'))).toEqual(['hub/index.js', 'index.js']);
  });

  it('removes what an earlier build left and the sources no longer have', async () => {
    const dir = smallSourceTree();
    write(dir, { 'dist/gone.js': '' });
    await build(dir);
    expect(existsSync(join(dir, 'dist/gone.js'))).toBe(false);
  });

  it.each([
    [
      'the compiler finds errors',
      'src/wrong.ts',
      'export const wrong: number = "text";\n',
      'the compiler found errors',
    ],
    [
      'a program lacks its first line',
      'src/index.ts',
      'export const a = 1;\n',
      'dist/index.js lacks #!/usr/bin/env node',
    ],
  ])('keeps the earlier build as it was when %s', async (_case, name, text, message) => {
    const dir = smallSourceTree();
    write(dir, { 'dist/index.js': 'earlier', [name]: text });
    const { code, stderr } = await build(dir);
    expect(code).not.toBe(0);
    expect(stderr).toContain(`build: ${message}; dist is as it was\n`);
    expect(readFileSync(join(dir, 'dist/index.js'), 'utf8')).toBe('earlier');
    expect(readdirSync(dir).filter((entry) => entry.startsWith('dist'))).toEqual(['dist']);
  });
});
