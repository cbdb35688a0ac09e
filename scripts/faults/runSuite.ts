import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CaseReport } from '../../test/faults/harness/report.ts';
import { fileOf } from './cases.ts';
import type { TestResult } from './rows.ts';

const root = resolve(import.meta.dirname, '../..');

export interface Outcome {
  /** Of vitest. */
  readonly exitCode: number;
  readonly results: readonly TestResult[];
  readonly reports: readonly CaseReport[];
}

/** The part of vitest's own report that is looked at. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly duration?: number;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/**
 * Runs the tests of `cases`, one file after the other so that figures are not those of its neighbours, with the agent as it
 * is compiled, so that they are those of an installation.
 */
export async function runSuite(cases: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (build.status !== 0) throw new Error('the build failed');
  const dir = mkdtempSync(join(tmpdir(), 'edge-faults-'));
  const [reportPath, vitestPath] = [join(dir, 'reports'), join(dir, 'vitest.json')];
  try {
    const args = ['run', '--config', 'test/vitest.config.ts', '--project', 'faults', '--passWithNoTests'];
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${vitestPath}`];
    const files = cases.map((id) => `test/faults/${fileOf(id)}`);
    const exitCode = await vitest([...args, ...reporters, ...files], {
      ...env,
      FAULTS_REPORT: reportPath,
      FAULTS_WORKERS: '1',
      FAULTS_COMPILED: '1',
      // A start is to take the time that it takes in the field.
      NODE_DISABLE_COMPILE_CACHE: '1',
    });
    return { exitCode, results: resultsIn(vitestPath), reports: reportsIn(reportPath) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function vitest(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  // A terminal sends SIGINT to both; what was measured until then is still told.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => done(code ?? 1));
  });
}

function resultsIn(path: string): TestResult[] {
  if (!existsSync(path)) return [];
  const { testResults } = JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  return testResults.flatMap(({ name: file, message, assertionResults }): TestResult[] => {
    const isUnread = assertionResults.length === 0;
    if (isUnread) return [{ file, title: file, status: 'failed', tookMs: 0, message }];
    return assertionResults.map(({ title, status, duration = 0, failureMessages = [] }) => ({
      file,
      title,
      status: status === 'passed' || status === 'failed' ? status : 'skipped',
      tookMs: duration,
      message: failureMessages[0],
    }));
  });
}

function reportsIn(path: string): CaseReport[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as CaseReport);
}
