/** `npm run test:faults [-- CASE… --kills 1000 --seed 7]`: runs the fault suite, prints a table, writes its figures. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { settings } from '../../test/faults/harness/settings.ts';
import { CASES } from './cases.ts';
import { EarlyEnd, readOptions } from './options.ts';
import { LOOP_GOALS, rowsOf } from './rows.ts';
import { runSuite } from './runSuite.ts';
import { summaryOf, tableOf } from './table.ts';

function exit(error: unknown): never {
  if (error instanceof EarlyEnd) process.exit(error.exitCode);
  throw error;
}

function optionsOrExit() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    return exit(error);
  }
}

/** Where the figures were measured. */
function machine(): Record<string, unknown> {
  return {
    node: process.versions.node,
    system: `${process.platform}-${process.arch} ${release()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    processors: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
  };
}

const { cases, env, json, isStrict } = optionsOrExit();
const startedAt = new Date();
const { exitCode, isInterrupted, results, reports } = await runSuite(cases, env).catch(exit);
const rows = rowsOf(cases, results, reports);
const isWhole = cases.length === Object.keys(CASES).length;
// What a whole run took an hour to measure is not lost to the next run of one case.
const file = isWhole && !isInterrupted ? 'faults.json' : 'some.json';
const path = json === undefined ? join(import.meta.dirname, 'results', file) : resolve(json);
mkdirSync(dirname(path), { recursive: true });
const figures = {
  date: startedAt.toISOString(),
  tookMs: Date.now() - startedAt.getTime(),
  seed: Number(env.FAULTS_SEED ?? settings.seed),
  isInterrupted,
  told: env,
  machine: machine(),
  rows,
  reports,
};
writeFileSync(path, `${JSON.stringify(figures, null, 2)}\n`);

console.log(`\n${tableOf(rows)}\n`);
console.log(
  `${isInterrupted ? 'interrupted: ' : ''}${summaryOf(rows)}; seed ${figures.seed}, ${(figures.tookMs / 1000).toFixed(0)} s`,
);
const { p99Ms, maxMs } = LOOP_GOALS;
console.log(
  `Times in ms. Loop: how long the event loop of the agent was held up; goals: p99 below ${p99Ms}, max below ${maxMs}.`,
);
console.log(`Written to ${relative(process.cwd(), path)}`);

const isShown = rows.every(({ verdict }) => verdict === 'passed' || verdict === 'skipped');
const isInTime = !isStrict || rows.every(({ missesLoopGoal }) => !missesLoopGoal);
process.exitCode = exitCode === 0 && isShown && isInTime ? 0 : 1;
