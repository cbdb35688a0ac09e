/** One figure of a benchmark. */
export interface BenchRow {
  name: string;
  unit: string;
  /** The goal as a person reads it, e.g. `p50 ≤ 3, p99 ≤ 10`; empty where the figure has none. */
  goal: string;
  value: number;
  p50?: number;
  p99?: number;
  ok: boolean;
}

/** The `share` quantile of `values`, nearest rank; NaN when there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
