/** `npm run test:faults [-- CASE… --kills 1000 --seed 7]`: runs the fault suite, prints a table, writes its figures. */
import { join, relative, resolve } from 'node:path';
import { settings } from '../../test/faults/harness/settings.ts';
import { CASES } from './cases.ts';
import { prepare, tested, write } from './figures.ts';
import { EarlyEnd, type Options, readOptions } from './options.ts';
import { LOOP_GOALS, rowsOf } from './rows.ts';
import { runSuite } from './runSuite.ts';
import { summaryOf, tableOf } from './table.ts';

// What a whole run took an hour to measure is not lost to the next run of one case.
const folder = join(import.meta.dirname, 'results');
const [whole, some] = [join(folder, 'faults.json'), join(folder, 'some.json')];

/** Its exit code. */
async function run({ cases, env, json, isStrict }: Options): Promise<number> {
  const given = json === undefined ? undefined : resolve(json);
  for (const path of given === undefined ? [whole, some] : [given]) prepare(path);
  const startedAt = new Date();
  const program = tested();
  const { exitCode, isInterrupted, results, reports } = await runSuite(cases, env);
  const rows = rowsOf(cases, results, reports);
  const figures = {
    date: startedAt.toISOString(),
    tookMs: Date.now() - startedAt.getTime(),
    seed: Number(env.FAULTS_SEED ?? settings.seed),
    isInterrupted,
    told: env,
    ...program,
    rows,
    reports,
  };

  console.log(`\n${tableOf(rows)}\n`);
  const seconds = (figures.tookMs / 1000).toFixed(0);
  console.log(`${isInterrupted ? 'interrupted: ' : ''}${summaryOf(rows)}; seed ${figures.seed}, ${seconds} s`);
  const { p99Ms, maxMs } = LOOP_GOALS;
  console.log(
    `Times in ms. Loop: how long the event loop of the agent was held up; goals: p99 below ${p99Ms}, max below ${maxMs}. ` +
      '“loop held up” is a failure only with --check.',
  );
  const isWhole = cases.length === Object.keys(CASES).length && !isInterrupted;
  const path = given ?? (isWhole ? whole : some);
  const isWritten = write(path, figures);
  if (isWritten) console.log(`Written to ${relative(process.cwd(), path)}`);

  const isShown = rows.every(({ verdict }) => verdict === 'passed' || verdict === 'skipped');
  const isInTime = !isStrict || rows.every(({ missesLoopGoal }) => !missesLoopGoal);
  return exitCode === 0 && isShown && isInTime && isWritten ? 0 : 1;
}

try {
  process.exitCode = await run(readOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof EarlyEnd)) throw error;
  process.exitCode = error.exitCode;
}
