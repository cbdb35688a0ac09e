/** `npm run bench [-- NAME…] [--check]`: measures, prints a table, writes bench/results/NAME.json. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchRow } from './BenchRow.ts';

const SUITES: Record<string, () => Promise<{ run(): Promise<BenchRow[]> }>> = {
  relay: () => import('./relay.ts'),
  chatdb: () => import('./chatdb.ts'),
  sending: () => import('./sending.ts'),
  connection: () => import('./connection.ts'),
  doctor: () => import('./doctor.ts'),
  page: () => import('./page.ts'),
  fortnight: () => import('./fortnight.ts'),
};

const USAGE = `usage: npm run bench [-- [NAME…] [--check]]

  NAME     ${Object.keys(SUITES).join(', ')} (default: all)
  --check  exit code 1 when a goal is missed
`;

function readArgs() {
  try {
    const options = { check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n${USAGE}`);
    return process.exit(64);
  }
}

const { values, positionals } = readArgs();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const names = positionals.length > 0 ? positionals : Object.keys(SUITES);
const unknown = names.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`No benchmark called ${unknown.join(', ')}. There are: ${Object.keys(SUITES).join(', ')}.`);
  process.exit(64);
}

let missed = 0;
for (const name of names) {
  const suite = await SUITES[name]!();
  const rows = await suite.run();
  const results = join(import.meta.dirname, 'results');
  mkdirSync(results, { recursive: true });
  const json = rows.map((row) => ({ ...row, p50: row.p50 ?? null, p99: row.p99 ?? null }));
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(json, null, 2)}\n`);
  print(name, rows);
  missed += rows.filter((row) => !row.ok).length;
}
if (values.check && missed > 0) {
  console.error(`${missed} goal(s) missed.`);
  process.exitCode = 1;
}

function print(name: string, rows: readonly BenchRow[]): void {
  const cells = rows.map((row) => [
    row.name,
    row.goal,
    format(row.value),
    format(row.p50),
    format(row.p99),
    row.unit,
    row.goal === '' ? '' : row.ok ? 'ok' : 'MISSED',
  ]);
  const header = ['figure', 'goal', 'value', 'p50', 'p99', 'unit', ''];
  console.log(`\n## ${name} (Node ${process.versions.node}, ${process.platform}-${process.arch})\n`);
  for (const line of [header, header.map(() => '---'), ...cells]) console.log(`| ${line.join(' | ')} |`);
  console.log(`\nWritten to bench/results/${name}.json`);
}

function format(value: number | undefined): string {
  if (value === undefined) return '';
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 1 ? 3 : 2);
}
