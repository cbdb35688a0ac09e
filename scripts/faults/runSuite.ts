import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestResult } from '../../test/faults/harness/ResultLog.ts';
import type { CaseReport } from '../../test/faults/harness/report.ts';
import { fileOf } from './cases.ts';
import { OwnGroup } from './OwnGroup.ts';
import { EarlyEnd } from './options.ts';

const root = resolve(import.meta.dirname, '../..');

export interface Outcome {
  /** Of vitest. */
  readonly exitCode: number;
  /** Told to stop, as by Ctrl-C: the cases after that are not run, and the one in whose midst it came shows nothing. */
  readonly isInterrupted: boolean;
  readonly results: readonly TestResult[];
  readonly reports: readonly CaseReport[];
}

/** So often it is tried to remove a folder in which what no process group holds still writes, after 0.1, 0.2, 0.3 … s. */
const REMOVALS = 15;

/**
 * Runs the tests of `cases`, one file after the other so that figures are not those of its neighbours, with the agent as it
 * is compiled, so that they are those of an installation.
 *
 * @throws EarlyEnd where it is not compiled
 */
export async function runSuite(cases: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const group = new OwnGroup();
  group.start();
  const built = await group.run([join(root, 'scripts/build.mjs')], root);
  if (group.isInterrupted) throw new EarlyEnd(1, 'interrupted while the agent was compiled: nothing was run');
  if (built !== 0) throw new EarlyEnd(1, 'the agent could not be compiled: nothing was run');

  const dir = mkdtempSync(join(tmpdir(), 'edge-faults-'));
  const [reportPath, resultsPath] = [join(dir, 'reports'), join(dir, 'results')];
  try {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const args = ['run', '--config', 'test/vitest.config.ts', '--project', 'faults', '--passWithNoTests'];
    const files = cases.map((id) => `test/faults/${fileOf(id)}`);
    const exitCode = await group.run([vitest, ...args, ...files], root, {
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
    const { isInterrupted } = group;
    return { exitCode, isInterrupted, results: linesIn(resultsPath), reports: linesIn(reportPath) };
  } finally {
    remove(dir);
  }
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
