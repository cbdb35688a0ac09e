import type { Row } from './rows.ts';

const HEADER = [
  'case',
  '',
  'runs',
  'lost',
  'doubled',
  'out of order',
  'recovery p50',
  'recovery p99',
  'loop p99',
  'loop max',
  'took',
  'verdict',
];
/** How long a name may be before it would push the figures out of sight. */
const NAME_WIDTH = 44;

/** The rows for a terminal, one a line; times in ms, but for the whole of a case in s. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.case,
    row.name.slice(0, NAME_WIDTH),
    ...[row.runs, row.lost, row.doubled, row.outOfOrder].map(figure),
    ...[row.recoveryP50Ms, row.recoveryP99Ms, row.gapP99Ms, row.gapMaxMs].map(figure),
    row.tookMs === undefined ? '' : `${(row.tookMs / 1000).toFixed(1)} s`,
    verdictOf(row),
  ]);
  const widths = HEADER.map((title, column) => Math.max(title.length, ...cells.map((line) => line[column]!.length)));
  const isLeft = (column: number) => column < 2 || column === HEADER.length - 1;
  const line = (values: readonly string[]) =>
    values
      .map((text, column) => (isLeft(column) ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [HEADER, ...cells].map(line).join('\n');
}

function verdictOf({ verdict, missesLoopGoal, notes }: Row): string {
  const word = verdict === 'failed' ? 'FAILED' : verdict;
  const mark = verdict === 'passed' && missesLoopGoal ? ', loop held up' : '';
  return `${word}${mark}${notes.length > 0 ? `: ${notes.join('; ')}` : ''}`;
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : String(Math.round(value));
}

/** `89 passed, 0 failed, 4 skipped, 0 not run`; one that was interrupted is named where there is one. */
export function summaryOf(rows: readonly Row[]): string {
  const of = (verdict: Row['verdict']) => rows.filter((row) => row.verdict === verdict).length;
  const named = (['passed', 'failed', 'skipped', 'interrupted', 'not run'] as const).filter(
    (verdict) => verdict !== 'interrupted' || of(verdict) > 0,
  );
  return named.map((verdict) => `${of(verdict)} ${verdict}`).join(', ');
}
