import { it } from 'vitest';
import { missing, type Need } from './needs.ts';
import { report } from './report.ts';
import { settings } from './settings.ts';

export interface PlainCase {
  needs?: readonly Need[];
  /** How long it may take, ms. @default 120000 */
  timeoutMs?: number;
  /** What it returns goes into the report. */
  run(): Promise<{ runs?: number; note?: string }>;
}

/** A case that no message travels through: a program that is not to start, an installation. In the report like any other. */
export function plainCase(title: string, o: PlainCase): void {
  it(title, { timeout: (o.timeoutMs ?? 120_000) * settings.patience }, async ({ skip }) => {
    const startedAt = performance.now();
    const told = { case: title.split(' ')[0]!, title, seed: settings.seed };
    const nothing = { runs: 1, recoveriesMs: [] };
    const tookMs = () => Math.round(performance.now() - startedAt);
    const reason = missing(o.needs ?? []);
    if (reason !== undefined) {
      report({ ...told, ...nothing, runs: 0, tookMs: 0, verdict: 'skipped', reason });
      skip(reason);
    }
    try {
      const found = await o.run();
      report({ ...told, ...nothing, ...found, tookMs: tookMs(), verdict: 'passed' });
    } catch (error) {
      report({ ...told, ...nothing, tookMs: tookMs(), verdict: 'failed', reason: String(error) });
      throw error;
    }
  });
}
