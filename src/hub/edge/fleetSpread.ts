/** So many agents do no harm when they come at once: nothing is spread for them. */
const FEW = 10;
/** Room for each agent of a larger fleet, ms: ten handshakes, and the sync that follows each, in 100 ms. */
const ROOM_MS = 10;

/** Over how long so many agents are to be spread, ms; at most `maxMs`, and 0 for a few. */
export function fleetSpreadMs(agents: number, maxMs: number): number {
  return agents <= FEW ? 0 : Math.min(agents * ROOM_MS, maxMs);
}
