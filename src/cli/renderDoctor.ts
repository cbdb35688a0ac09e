import process from 'node:process';
import { styleText } from 'node:util';
import type { StepResult } from '../backend/diagnosis/Step.ts';
import type { NamedFinding } from '../ops/doctor/examine.ts';
import { printable } from '../util/printable.ts';
import { renderConnection } from './renderConnection.ts';

const COLOUR = { pass: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const;
/** Verdict and two spaces. */
const VERDICT = 6;

/** A line a check, its fix below it; the steps of the connection below that. Coloured on a terminal only. */
export function renderDoctor(findings: readonly NamedFinding[], steps: readonly StepResult[] = []): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const fixes = ' '.repeat(VERDICT + width + 2);
  return findings
    .map(({ name, status, text, fix }) => {
      const verdict = styleText(COLOUR[status], status, { stream: process.stdout });
      const head = `${verdict}  ${name.padEnd(width)}  ${printable(text)}\n`;
      const below = name === 'connection' ? renderConnection(steps) : '';
      return `${head}${fix === undefined ? '' : `${fixes}do: ${printable(fix)}\n`}${below}`;
    })
    .join('');
}

/** `3 fail, 1 warn, 12 pass, 2 skip`: what there is of each. */
export function tally(findings: readonly NamedFinding[]): string {
  return (['fail', 'warn', 'pass', 'skip'] as const)
    .map((status) => ({ status, n: findings.filter((finding) => finding.status === status).length }))
    .filter(({ n }) => n > 0)
    .map(({ status, n }) => `${n} ${status}`)
    .join(', ');
}
