/** One figure of a benchmark. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  /** The goal as a person reads it: `≤ 50`, `≥ 46,000`. */
  readonly goal: string;
  readonly value: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly ok: boolean;
}
