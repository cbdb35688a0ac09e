import type { Database } from 'better-sqlite3';
import { OPEN } from './Sends.ts';

/** Commands that come again do so within this time after the start, ms. */
const REPEATED_MS = 600_000;

/** What was noted last, each by an index or the end of its table. */
const NOTED = `
  SELECT received_at AS at FROM (SELECT received_at FROM commands ORDER BY command_seq DESC LIMIT 1)
  UNION ALL SELECT created_at FROM (SELECT created_at FROM inbound ORDER BY inbound_id DESC LIMIT 1)
  UNION ALL SELECT max(sending_at) FROM sends WHERE sending_at IS NOT NULL
  UNION ALL SELECT CAST(value AS INTEGER) FROM meta WHERE key IN ('begun_at', 'stopped_at')`;

const OPEN_SINCE = `
  SELECT EXISTS (
      SELECT 1 FROM inbound WHERE state IN ('parked', 'pending') AND backfill = 0 AND coalesce(message_at, 0) <= @at)
    OR EXISTS (
      SELECT 1 FROM sends WHERE ${OPEN} AND @at >=
        coalesce((SELECT message_at FROM inbound WHERE inbound_id = answers_id), created_at - ${REPEATED_MS}))`;

/** What a state.db says at opening of the time before. */
export interface Known {
  /** The last moment of which it knows anything, ms since 1970; one that lies ahead says only that the clock was set. */
  readonly until: number;
  /** Whether a message or a bubble that was asked for by then is not done. */
  isOpenFrom(at: number): boolean;
}

export function knownBefore(db: Database, now: number): Known {
  const until = db.prepare(`SELECT max(at) FROM (${NOTED}) WHERE at <= ?`).pluck().get(now) as number | null;
  return { until: until ?? now, isOpenFrom: (at) => db.prepare(OPEN_SINCE).pluck().get({ at }) === 1 };
}
