// Runs the whole test suite on every line of Node the package supports: `npm run test:nodes`, before each release.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { FetchNodeError, fetchNode, root } from './fetch-node.mjs';

const VERSIONS = ['22.23.2', '24.21.0', '26.10.0'];

function test(version) {
  let node;
  try {
    node = fetchNode(version, `Testing on Node ${version}`);
  } catch (error) {
    if (!(error instanceof FetchNodeError)) throw error;
    // npm does not carry every version for every platform: 24.21.0 is there for Linux alone.
    return { result: error.isMissing ? 'skipped' : 'failed', note: error.message };
  }
  console.log(`\nNode ${version}`);
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    'test/vitest.config.ts',
    ...process.argv.slice(2),
  ];
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH ?? ''}` };
  const { status, signal } = spawnSync(node, args, { cwd: root, stdio: 'inherit', env });
  return status === 0 ? { result: 'passed', note: '' } : { result: 'failed', note: signal ?? `exit code ${status}` };
}

const rows = VERSIONS.map((version) => {
  const started = performance.now();
  const { result, note } = test(version);
  return { version, result, note, seconds: ((performance.now() - started) / 1000).toFixed(0) };
});

console.log('\nNode      result   seconds');
for (const { version, result, seconds, note } of rows) {
  console.log(`${version.padEnd(9)} ${result.padEnd(8)} ${seconds.padStart(7)}  ${note}`.trimEnd());
}
const passed = rows.filter(({ result }) => result === 'passed').length;
if (passed === 0 || rows.some(({ result }) => result === 'failed')) process.exitCode = 1;
