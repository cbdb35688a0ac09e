import { backoffMs } from '../util/backoff.ts';
import type { Random } from '../util/Random.ts';
import type { Reconnection } from './connectionPolicy.ts';

const BACKOFF = { firstMs: 1000, maxMs: 60_000, jitter: 0.25 };
/** After a restart of the backend: spread over 1.8 s, so that a fleet does not come back at once. */
const SHORT = { leastMs: 200, mostMs: 2000 };
/** A Retry-After of 0 must not make a loop. */
const LEAST_RETRY_AFTER_MS = 1000;

export interface DelayOptions {
  /** Connections in a row that did not last, from 1. */
  failures: number;
  random: Random;
  /** What an answer asked for; it goes before everything else. */
  retryAfterMs?: number | undefined;
  /** What the greeting of the connection that was lost asked for: up to so much at random on top. */
  spreadMs?: number;
}

/** How long to wait before the next connection, ms. */
export function reconnectDelayMs(delay: Reconnection['delay'], o: DelayOptions): number {
  return ownDelayMs(delay, o) + Math.round((o.spreadMs ?? 0) * o.random());
}

/**
 * How long to stay away after a `drain`, ms: what was asked for, or as after a restart if that is nothing. A backend
 * that drains every connection before it lasted is met with back-off all the same.
 */
export function drainDelayMs(askedMs: number, o: DelayOptions): number {
  if (askedMs < SHORT.leastMs) return reconnectDelayMs('short', o);
  const asked = fixed(askedMs, o.random) + Math.round((o.spreadMs ?? 0) * o.random());
  return o.failures <= 1 ? asked : Math.max(asked, ownDelayMs('backoff', o));
}

function ownDelayMs(delay: Reconnection['delay'], o: DelayOptions): number {
  if (o.retryAfterMs !== undefined) return fixed(Math.max(o.retryAfterMs, LEAST_RETRY_AFTER_MS), o.random);
  if (delay === 'slow') return fixed(BACKOFF.maxMs, o.random);
  if (delay === 'short' && o.failures <= 1) {
    return Math.round(SHORT.leastMs + o.random() * (SHORT.mostMs - SHORT.leastMs));
  }
  return backoffMs(BACKOFF, o.failures, o.random);
}

/** One delay with the same jitter as all others. */
const fixed = (ms: number, random: Random) => backoffMs({ firstMs: ms, maxMs: ms, jitter: BACKOFF.jitter }, 1, random);
