import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { runProgram } from '../packaging/runProgram.ts';
import { tempDir } from '../support/tempDir.ts';
import { plainCase } from './harness/plainCase.ts';

const repository = resolve(import.meta.dirname, '../..');
const LOADS = "import D from 'better-sqlite3'; console.log(new D(':memory:').prepare('SELECT 6 * 7').pluck().get())";

plainCase('O9 gets along without install scripts: the module is loaded from the bare files of its package', {
  async run() {
    const { allowScripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    expect(allowScripts).toEqual({ 'better-sqlite3': false });
    expect(readFileSync(join(repository, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);

    const dir = tempDir();
    for (const name of ['package.json', 'package-lock.json', '.npmrc']) {
      cpSync(join(repository, name), join(dir, name));
    }
    const args = ['ci', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund'];
    const { code, stderr } = await runProgram('npm', args, { cwd: dir });
    // Without its cache and without the network npm has nothing to install; whether the files suffice can still be seen.
    const isFresh = code === 0;
    if (!isFresh) {
      expect(stderr).toMatch(/ENOTFOUND|ECONNREFUSED|ENOTCACHED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH/);
      packageAlone(dir);
    }
    const loaded = await runProgram(process.execPath, ['--input-type=module', '-e', LOADS], { cwd: dir });
    expect(loaded).toMatchObject({ code: 0, stdout: '42\n' });
    return { note: isFresh ? 'npm ci' : 'no network: the package alone' };
  },
});

plainCase('O9 says what is missing, and how to get it, where the module has no binary for this machine', {
  async run() {
    const dir = tempDir();
    cpSync(join(repository, 'src'), join(dir, 'src'), { recursive: true });
    cpSync(join(repository, 'package.json'), join(dir, 'package.json'));
    mkdirSync(join(dir, 'node_modules'));
    for (const name of [
      'commander',
      'yaml',
      'zod',
      'fastest-levenshtein',
      're2js',
      'pino',
      '@pinojs',
      'proxy-from-env',
    ]) {
      const from = join(repository, 'node_modules', name);
      if (existsSync(from)) symlinkSync(from, join(dir, 'node_modules', name));
    }
    packageAlone(dir);
    rmSync(join(dir, 'node_modules/better-sqlite3/prebuilds'), { recursive: true });
    writeFileSync(
      join(dir, 'config.yaml'),
      'edge:\n  agent_id: edge_15550100001\nbackend:\n  url: http://127.0.0.1:9\nlogging:\n  file: l\nstate:\n  dir: state\n',
    );
    const { code, stderr } = await runProgram(process.execPath, [join(dir, 'src/index.ts'), 'run'], { cwd: dir });
    expect(stderr).toMatch(/^edge-agent: EDGE_SQLITE_MISSING: better-sqlite3 cannot be loaded/);
    expect(stderr).toContain('npm ci');
    expect(code).toBe(69);
    expect(existsSync(join(dir, 'state'))).toBe(false);
    return {};
  },
});

/** better-sqlite3 as its package has it, without a build. */
function packageAlone(dir: string): void {
  const name = 'node_modules/better-sqlite3';
  mkdirSync(join(dir, 'node_modules'), { recursive: true });
  cpSync(join(repository, name), join(dir, name), {
    recursive: true,
    filter: (path) => !path.includes(`${name}/build`) && !path.includes(`${name}/deps`),
  });
}
