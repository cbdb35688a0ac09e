/** 2001-01-01 UTC, where Apple's dates begin, in ms since 1970. */
const APPLE_EPOCH_MS = 978_307_200_000;

/** Below this a date is in seconds, as before macOS 10.13; above, in nanoseconds. */
export const SECONDS_BELOW = 100_000_000_000;

/** 2100-01-01 in nanoseconds since 2001: later ones are mistakes; values up to 2^63 - 1 have been met. */
const ABSURD_FROM = '3124137600000000000';

/**
 * An SQL expression: the date in ms since 1970, NULL where it is 0, negative or absurd. In SQL, because nanoseconds pass
 * 2^53 and would be rounded on their way through JavaScript numbers.
 */
export function dateAtSql(column: string): string {
  return `CASE
    WHEN typeof(${column}) <> 'integer' OR ${column} <= 0 OR ${column} >= ${ABSURD_FROM} THEN NULL
    WHEN ${column} < ${SECONDS_BELOW} THEN ${column} * 1000 + ${APPLE_EPOCH_MS}
    ELSE ${column} / 1000000 + ${APPLE_EPOCH_MS} END`;
}

/**
 * SQL conditions, each of which an index on the column serves, that no row meets both of: not before @sinceNs, or in
 * seconds @sinceSeconds; see `sinceParameters`. As one condition with OR, an analysed database would be scanned.
 */
export function sinceSql(column: string): readonly [string, string] {
  return [`${column} >= @sinceNs`, `${column} >= @sinceSeconds AND ${column} < ${SECONDS_BELOW}`];
}

/** The parameters of `sinceSql` for a time in ms since 1970; times before 2001 mean all dates. */
export function sinceParameters(dateAt: number): { sinceNs: bigint; sinceSeconds: number } {
  const ms = Math.max(1, Math.floor(dateAt) - APPLE_EPOCH_MS);
  // Every date in nanoseconds is above SECONDS_BELOW, so a bound below it must not let those in seconds through.
  const sinceNs = BigInt(ms) * 1_000_000n;
  return {
    sinceNs: sinceNs < BigInt(SECONDS_BELOW) ? BigInt(SECONDS_BELOW) : sinceNs,
    sinceSeconds: Math.floor(ms / 1000),
  };
}
