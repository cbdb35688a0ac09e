/** CLOCK_MONOTONIC in ms: the same for every process of one machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
