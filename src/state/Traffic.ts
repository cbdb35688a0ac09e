import type { Database, Statement } from 'better-sqlite3';

/** A stretch of time in equal parts, ms since 1970; `to` excluded. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly bucketMs: number;
}

/** How many there were in each part. */
export interface TrafficCounts {
  readonly in: readonly number[];
  readonly out: readonly number[];
}

export const TRAFFIC_QUERIES = {
  ends: 'SELECT (SELECT min(inbound_id) FROM inbound) AS first, (SELECT max(inbound_id) FROM inbound) AS last',
  from: 'SELECT inbound_id AS id, created_at AS at FROM inbound WHERE inbound_id >= ? ORDER BY inbound_id LIMIT 1',
  in: `SELECT CAST((created_at - @from) / @bucketMs AS INTEGER) AS bucket, count(*) AS count FROM inbound
    WHERE inbound_id >= @firstId AND created_at >= @from AND created_at < @to AND skipped IS NULL AND backfill = 0
    GROUP BY bucket`,
  out: `SELECT CAST((sending_at - @from) / @bucketMs AS INTEGER) AS bucket, count(*) AS count FROM sends
    WHERE sending_at >= @from AND sending_at < @to AND state IN ('confirmed', 'delivered') GROUP BY bucket`,
} as const;

/** How many messages came in and bubbles went out, over time. */
export class Traffic {
  readonly #ends: Statement;
  readonly #from: Statement;
  readonly #in: Statement;
  readonly #out: Statement;

  constructor(db: Database) {
    this.#ends = db.prepare(TRAFFIC_QUERIES.ends);
    this.#from = db.prepare(TRAFFIC_QUERIES.from);
    this.#in = db.prepare(TRAFFIC_QUERIES.in);
    this.#out = db.prepare(TRAFFIC_QUERIES.out);
  }

  /**
   * Messages by when they were taken in, without backfill and without what is not handed over; bubbles that went out by
   * when they were begun. Reads the rows of the span and no others.
   */
  counts({ from, to, bucketMs }: Span): TrafficCounts {
    const parts = Math.ceil((to - from) / bucketMs);
    const count = (statement: Statement, more: object) => {
      const counts = new Array<number>(parts).fill(0);
      for (const row of statement.all({ from, to, bucketMs, ...more }) as { bucket: number; count: number }[]) {
        counts[row.bucket] = row.count;
      }
      return counts;
    };
    return { in: count(this.#in, { firstId: this.#firstIdSince(from) }), out: count(this.#out, {}) };
  }

  /**
   * There is no index on created_at, but rows come in its order: some twenty seeks find where a time begins. Where the
   * wall clock was set back in between, the rows of that while may be missed.
   */
  #firstIdSince(at: number): number {
    const ends = this.#ends.get() as { first: number | null; last: number | null };
    let low = ends.first ?? 0;
    let high = (ends.last ?? 0) + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.#from.get(middle) as { id: number; at: number } | undefined;
      if (row === undefined || row.at >= at) high = middle;
      else low = row.id + 1;
    }
    return low;
  }
}
