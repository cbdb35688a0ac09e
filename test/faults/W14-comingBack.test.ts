import { describe, expect, it } from 'vitest';
import type { Random } from '../../src/util/Random.ts';
import { crowd, Fleet } from './fleet/Fleet.ts';

const AGENTS = 1_000;
/** Of the dials, those that find nobody too, and of the agents that the hub takes; in any 100 ms. */
const MOST = 0.05;

/** mulberry32, so that a run can be repeated. */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const crash = (downMs: number) => async (fleet: Fleet) => {
  fleet.crash();
  await fleet.clock.advance(downMs);
  fleet.listen();
};

describe('W14 a thousand agents that lost their hub', () => {
  it.each<[string, (fleet: Fleet) => Promise<void>, number]>([
    ['in a crash, and it listens again at once', crash(0), 12_000],
    ['in a crash, and it listens again after 5 s', crash(5_000), 12_000],
    ['in a crash, and it listens again after 60 s', crash(60_000), 76_000],
    ['to a close with 1012 of all at once', async (fleet) => fleet.closeAll(1012, 'Service restart'), 13_000],
    [
      'to its leave, and it listens again 2 s after',
      async (fleet) => {
        await fleet.leave();
        await fleet.clock.advance(2_000);
        fleet.listen();
      },
      25_000,
    ],
  ])('%s, come back without a crowd', async (title, lose, backWithinMs) => {
    const fleet = new Fleet({ size: AGENTS, random: seeded(14) });
    await fleet.start();
    expect(fleet.up).toBe(AGENTS);
    const lostAt = fleet.clock.monotonic();
    await lose(fleet);
    await fleet.clock.advance(backWithinMs);
    const [dials, taken] = [fleet.dials, fleet.taken].map(crowd) as [number, number];
    const lasted = ((Math.max(...fleet.dials) - lostAt) / 1_000).toFixed(1);
    console.log(`${title}: at most ${dials} of ${fleet.dials.length} dials in 100 ms, ${taken} taken; ${lasted} s`);
    expect(dials).toBeLessThanOrEqual(MOST * fleet.dials.length);
    expect(taken).toBeLessThanOrEqual(MOST * AGENTS);
    expect(fleet.up).toBe(AGENTS);
    await fleet.stop();
    expect(fleet.clock.pending).toBe(0);
  });
});
