import { describe, expect, it } from 'vitest';
import { fleetSpreadMs } from '../../src/hub/edge/fleetSpread.ts';

describe('the spread of a fleet', () => {
  it.each([
    [0, 0],
    [10, 0],
    [11, 110],
    [1_000, 10_000],
    [100_000, 60_000],
  ])('is for %i agents %i ms', (agents, ms) => {
    expect(fleetSpreadMs(agents, 60_000)).toBe(ms);
  });
});
