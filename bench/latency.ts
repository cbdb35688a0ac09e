import { type BenchRow, quantile } from './BenchRow.ts';
import type { Latencies } from './commandToScript.ts';

/** A latency with its goals in ms; one that never came misses any goal. */
export function latency(
  name: string,
  { ms, missing }: Latencies,
  goal: { p50: number; p99?: number } | undefined,
): BenchRow {
  const p50 = quantile(ms, 0.5);
  const p99 = quantile(ms, 0.99);
  const text = goal ? `p50 ≤ ${goal.p50}${goal.p99 === undefined ? '' : `, p99 ≤ ${goal.p99}`}` : '';
  const ok = missing === 0 && (!goal || (p50 <= goal.p50 && p99 <= (goal.p99 ?? Number.POSITIVE_INFINITY)));
  return {
    name: missing > 0 ? `${name} (${missing} missing)` : name,
    unit: 'ms',
    goal: text,
    value: p50,
    p50,
    p99,
    ok,
  };
}
