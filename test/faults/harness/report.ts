import { appendFileSync } from 'node:fs';
import { settings } from './settings.ts';

/** What became of one case of the fault suite: a line of FAULTS_REPORT, and of the table of `npm run test:faults`. */
export interface CaseReport {
  /** As faults.md has it: C5, H11. */
  readonly case: string;
  readonly title: string;
  readonly verdict: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped or failed. */
  readonly reason?: string;
  /** How often the fault was brought about. */
  readonly runs: number;
  /** By the ledgers; left out where none were compared, because no message travelled. */
  readonly lost?: number;
  readonly doubled?: number;
  readonly outOfOrder?: number;
  /** From the end of each fault until all was well, ms. */
  readonly recoveriesMs: readonly number[];
  /** How long the agent's event loop was held up, ms; not known of an agent that lived for less than a second. */
  readonly gapP99Ms?: number;
  readonly gapMaxMs?: number;
  /** The most memory that a process of the agent took: see Inside.peakRssBytes. */
  readonly peakRssMegabytes?: number;
  /** A figure that the case measured. */
  readonly note?: string;
  /** Figures that it measured again and again. */
  readonly samples?: readonly Readonly<Record<string, number>>[];
  readonly seed: number;
  readonly tookMs: number;
}

export function report(line: CaseReport): void {
  if (settings.reportPath) appendFileSync(settings.reportPath, `${JSON.stringify(line)}\n`);
}
