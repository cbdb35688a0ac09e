import type { Random } from './Random.ts';

/** How long to wait before the next attempt. */
export interface BackoffPolicy {
  /** Delay before the second attempt, ms. */
  readonly firstMs: number;
  /** No delay before jitter is longer, ms. */
  readonly maxMs: number;
  /** Largest share of the delay added on top at random, 0–1. */
  readonly jitter: number;
}

/** Doubling delays with jitter on top: the one retry policy of this program. `failures` counts from 1. */
export function backoffMs(policy: BackoffPolicy, failures: number, random: Random): number {
  const doublings = Math.min(Math.max(failures, 1) - 1, 30); // 2^30 is past every limit in use
  const base = Math.min(policy.firstMs * 2 ** doublings, policy.maxMs);
  return Math.round(base * (1 + policy.jitter * random()));
}
