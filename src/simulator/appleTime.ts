/** Milliseconds from 1970 to Messages' epoch, 2001-01-01 UTC. */
export const APPLE_EPOCH_MS = 978_307_200_000;

/** The value of a date column: nanoseconds since 2001. A bigint, because the values pass 2^53. */
export function appleNanoseconds(unixMs: number): bigint {
  return BigInt(Math.round(unixMs - APPLE_EPOCH_MS)) * 1_000_000n;
}

/** The wall clock in ms since 1970 with µs as fraction, to be compared with $EPOCHREALTIME of a shell. */
export function preciseWallMs(): number {
  return performance.timeOrigin + performance.now();
}
