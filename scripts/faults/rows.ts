import { quantile } from '../../bench/BenchRow.ts';
import type { TestResult } from '../../test/faults/harness/ResultLog.ts';
import type { CaseReport } from '../../test/faults/harness/report.ts';
import { CASES, caseOf } from './cases.ts';

/** What is known of one case, all its tests taken together. Figures that no test measured are undefined. */
export interface Row {
  readonly case: string;
  readonly name: string;
  /** `interrupted`: begun, and the run ended in its midst; `not run`: never begun. */
  readonly verdict: 'passed' | 'failed' | 'skipped' | 'interrupted' | 'not run';
  readonly runs: number | undefined;
  readonly lost: number | undefined;
  readonly doubled: number | undefined;
  readonly outOfOrder: number | undefined;
  readonly recoveryP50Ms: number | undefined;
  readonly recoveryP99Ms: number | undefined;
  readonly gapP99Ms: number | undefined;
  readonly gapMaxMs: number | undefined;
  readonly missesLoopGoal: boolean;
  readonly tests: number;
  /** Of the tests that came to their end; undefined: none did. */
  readonly tookMs: number | undefined;
  /** Why it failed or was skipped, and what it measured besides. */
  readonly notes: readonly string[];
}

/** The event loop may be held up for so long: 99 times of 100, and ever; ms. */
export const LOOP_GOALS = { p99Ms: 100, maxMs: 250 };

/** One row for each of `cases`, from what vitest says and from the lines that the tests themselves reported. */
export function rowsOf(
  cases: readonly string[],
  results: readonly TestResult[],
  reports: readonly CaseReport[],
): Row[] {
  return cases.map((id) =>
    rowOf(
      id,
      results.filter(({ file }) => caseOf(file) === id),
      reports.filter((line) => line.case === id),
    ),
  );
}

function rowOf(id: string, results: readonly TestResult[], lines: readonly CaseReport[]): Row {
  const tests = results.filter(({ status }) => status !== 'begun');
  const measured = lines.filter(({ verdict }) => verdict !== 'skipped');
  const sum = (figure: (line: CaseReport) => number | undefined) => {
    const values = measured.flatMap((line) => figure(line) ?? []);
    return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0);
  };
  const most = (figure: (line: CaseReport) => number | undefined) => {
    const values = measured.flatMap((line) => figure(line) ?? []);
    return values.length === 0 ? undefined : Math.max(...values);
  };
  const recoveries = measured.flatMap(({ recoveriesMs }) => recoveriesMs);
  const recovery = (share: number) => (recoveries.length === 0 ? undefined : quantile(recoveries, share));
  const gapP99Ms = most((line) => line.gapP99Ms);
  const gapMaxMs = most((line) => line.gapMaxMs);
  return {
    case: id,
    name: CASES[id]!,
    verdict: verdictOf(tests, results.length > 0),
    runs: sum(({ runs }) => runs),
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled),
    outOfOrder: sum(({ outOfOrder }) => outOfOrder),
    recoveryP50Ms: recovery(0.5),
    recoveryP99Ms: recovery(0.99),
    gapP99Ms,
    gapMaxMs,
    missesLoopGoal: (gapP99Ms ?? 0) >= LOOP_GOALS.p99Ms || (gapMaxMs ?? 0) >= LOOP_GOALS.maxMs,
    tests: tests.length,
    tookMs: tests.length === 0 ? undefined : tests.reduce((total, { tookMs }) => total + tookMs, 0),
    notes: notesOf(tests, lines),
  };
}

function verdictOf(tests: readonly TestResult[], isBegun: boolean): Row['verdict'] {
  if (tests.some(({ status }) => status === 'failed')) return 'failed';
  if (tests.some(({ status }) => status === 'passed')) return 'passed';
  if (tests.length > 0) return 'skipped';
  return isBegun ? 'interrupted' : 'not run';
}

function notesOf(tests: readonly TestResult[], lines: readonly CaseReport[]): string[] {
  const skipped = tests.filter(({ status }) => status === 'skipped').length;
  const reasons = lines.flatMap(({ verdict, reason }) => (verdict === 'skipped' ? (reason ?? []) : []));
  return [
    ...tests.flatMap(({ status, message }) => (status === 'failed' ? firstLine(message ?? 'failed') : [])),
    ...(skipped > 0 && skipped < tests.length ? [`${skipped} of ${tests.length} skipped`] : []),
    ...new Set(reasons),
    ...lines.flatMap(({ note }) => note ?? []),
  ];
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.slice(0, 160);
}
