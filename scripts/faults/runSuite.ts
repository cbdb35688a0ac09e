import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestResult } from '../../test/faults/harness/ResultLog.ts';
import type { CaseReport } from '../../test/faults/harness/report.ts';
import { fileOf } from './cases.ts';

const root = resolve(import.meta.dirname, '../..');

export interface Outcome {
  /** Of vitest. */
  readonly exitCode: number;
  /** Told to stop, as by Ctrl-C: the cases after that are not run, nor is the one in whose midst it came. */
  readonly isInterrupted: boolean;
  readonly results: readonly TestResult[];
  readonly reports: readonly CaseReport[];
}

/** So often it is tried to remove a folder in which agents that were told to stop still write, after 0.1, 0.2, 0.3 … s. */
const REMOVALS = 15;

/**
 * Runs the tests of `cases`, one file after the other so that figures are not those of its neighbours, with the agent as it
 * is compiled, so that they are those of an installation.
 */
export async function runSuite(cases: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (build.status !== 0) throw new Error('the build failed');
  const dir = mkdtempSync(join(tmpdir(), 'edge-faults-'));
  const [reportPath, resultsPath] = [join(dir, 'reports'), join(dir, 'results')];
  let isInterrupted = false;
  // A terminal sends SIGINT to vitest as well; what was measured until then is still told.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isInterrupted = true;
    });
  }
  try {
    const args = ['run', '--config', 'test/vitest.config.ts', '--project', 'faults', '--passWithNoTests'];
    const files = cases.map((id) => `test/faults/${fileOf(id)}`);
    const exitCode = await vitest([...args, ...files], {
      ...env,
      FAULTS_REPORT: reportPath,
      FAULTS_RESULTS: resultsPath,
      // What a run that is broken off leaves behind goes with the folder.
      TMPDIR: dir,
      FAULTS_WORKERS: '1',
      FAULTS_COMPILED: '1',
      // A start is to take the time that it takes in the field.
      NODE_DISABLE_COMPILE_CACHE: '1',
    });
    return { exitCode, isInterrupted, results: linesIn(resultsPath), reports: linesIn(reportPath) };
  } finally {
    remove(dir);
  }
}

function vitest(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => done(code ?? 1));
  });
}

/** Says so where it cannot: a disk that a case had mounted is still there. */
function remove(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true, maxRetries: REMOVALS });
  } catch (error) {
    console.error(`${dir} could not be removed: ${error}`);
  }
}

function linesIn<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}
