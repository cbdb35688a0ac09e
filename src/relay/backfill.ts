import type { Burst } from '../state/Epochs.ts';

/** How long before the burst's base a message must have been written to be behind it, ms. */
const BEHIND_MS = 900_000;
/** Rows behind the base that make a block. */
export const BLOCK_ROWS = 3;
/** A burst ends when no row has come for this long, ms. */
const BURST_REST_MS = 60_000;
/** A burst ends after this long, ms: where people write all day, a base from the morning would make blocks look live. */
export const BURST_MOST_MS = 900_000;
/** A date that lies further ahead is wrong, ms. */
const AHEAD_MS = 86_400_000;
/** How long a row behind the base waits for company, ms after the latest of its kind. */
export const DECIDE_MS = 2_000;

/** `undecided`: behind the base, and it is not known yet whether alone. */
export type Verdict = 'live' | 'backfill' | 'undecided';

/**
 * Whether a message is old news: written longer ago than an answer makes sense. iCloud brings old messages under new
 * ROWIDs and guids, and a Mac that was off brings all of the meantime at once; answering either would startle people.
 * A date that is missing or in the future says nothing, and the message counts as live.
 */
export function isOld(message: { dateAt: number | undefined; now: number; answerMaxAgeSeconds: number }): boolean {
  const { dateAt, now, answerMaxAgeSeconds } = message;
  return dateAt !== undefined && now - dateAt > answerMaxAgeSeconds * 1_000;
}

/**
 * Whether a date is of a time to come by more than clocks differ. Such a message is as likely from years ago as from now:
 * where nothing else tells when it came, nobody waits for an answer to it.
 */
export function isAhead(dateAt: number | undefined, now: number): boolean {
  return dateAt !== undefined && dateAt - now > AHEAD_MS;
}

/** The burst with one more row in it: the one under way, or a new one whose base is the newest message before it. */
export function joinBurst(burst: Burst, now: number, newestAt: number): Burst {
  const { burstAt, burstSinceAt } = burst;
  // A wall clock that stepped back ends it too.
  const goesOn =
    burstAt !== null &&
    burstSinceAt !== null &&
    Math.abs(now - burstAt) <= BURST_REST_MS &&
    Math.abs(now - burstSinceAt) <= BURST_MOST_MS;
  if (goesOn) return burstAt === now ? burst : { ...burst, burstAt: now };
  return { burstBaseAt: newestAt, burstSinceAt: now, burstAt: now, burstBehind: 0 };
}

export function isBehind({ burstBaseAt }: Burst, dateAt: number | undefined): boolean {
  return burstBaseAt !== null && dateAt !== undefined && dateAt < burstBaseAt - BEHIND_MS;
}

/**
 * The newest date so far, ms since 1970. A date in the future is a wrong clock or a message to be sent later: it counts
 * as now, or all that comes until then would be behind it.
 */
export function newerOf(newestAt: number, dateAt: number | undefined, now: number): number {
  if (dateAt === undefined) return newestAt;
  return Math.max(newestAt, Math.min(dateAt, now));
}
