import { backoffMs } from '../util/backoff.ts';
import type { Random } from '../util/Random.ts';
import type { Reconnection } from './closePolicy.ts';

const BACKOFF = { firstMs: 1000, maxMs: 60_000, jitter: 0.25 };
/** After a restart of the backend: spread over 1.8 s, so that a fleet does not come back at once. */
const SHORT = { leastMs: 200, mostMs: 2000 };
/** A Retry-After of 0 must not make a loop. */
const LEAST_RETRY_AFTER_MS = 1000;

/**
 * How long to wait before the next connection, ms. `failures` counts the connections in a row that did not last,
 * from 1; `retryAfterMs` is what the backend asked for, and goes before everything else.
 */
export function reconnectDelayMs(
  delay: Reconnection['delay'],
  o: { failures: number; retryAfterMs: number | undefined; random: Random },
): number {
  if (o.retryAfterMs !== undefined) return fixed(Math.max(o.retryAfterMs, LEAST_RETRY_AFTER_MS), o.random);
  if (delay === 'slow') return fixed(BACKOFF.maxMs, o.random);
  if (delay === 'short' && o.failures <= 1) {
    return Math.round(SHORT.leastMs + o.random() * (SHORT.mostMs - SHORT.leastMs));
  }
  return backoffMs(BACKOFF, o.failures, o.random);
}

/** One delay with the same jitter as all others. */
const fixed = (ms: number, random: Random) => backoffMs({ firstMs: ms, maxMs: ms, jitter: BACKOFF.jitter }, 1, random);
