import { expect, it } from 'vitest';
import { crowd, Fleet } from './fleet/Fleet.ts';
import { report } from './harness/report.ts';
import { seeded, settings } from './harness/settings.ts';

const AGENTS = 1_000;
/** Of the dials, those that find nobody too, and of the agents that the hub takes; in any 100 ms. */
const MOST = 0.05;

const crash = (downMs: number) => async (fleet: Fleet) => {
  fleet.crash();
  await fleet.clock.advance(downMs);
  fleet.listen();
};

/** How long after the loss the last of them is back, as docs/GUARANTEES.md says; the absence itself is in it. */
const LOSSES: [how: string, lose: (fleet: Fleet) => Promise<void>, backWithinMs: number][] = [
  ['in a crash, and it listens again at once', crash(0), 12_000],
  ['in a crash, and it listens again after 5 s', crash(5_000), 12_000],
  ['in a crash, and it listens again after 60 s', crash(60_000), 89_000],
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
];

/** No daemons: a thousand of their connections on one clock, with the hub's own sockets at the other end. */
for (const [how, lose, backWithinMs] of LOSSES) {
  const title = `W14 a thousand agents that lost their hub ${how}, come back without a crowd`;
  it(title, async () => {
    const startedAt = performance.now();
    const fleet = new Fleet({ size: AGENTS, random: seeded(settings.seed) });
    await fleet.start();
    expect(fleet.up).toBe(AGENTS);
    const lostAt = fleet.clock.monotonic();
    await lose(fleet);
    await fleet.clock.advance(lostAt + backWithinMs - fleet.clock.monotonic());
    const [dials, taken] = [fleet.dials, fleet.taken].map(crowd) as [number, number];
    const recoveryMs = Math.round(Math.max(...fleet.dials) - lostAt);
    const isSpread = dials <= MOST * fleet.dials.length && taken <= MOST * AGENTS && fleet.up === AGENTS;
    report({
      case: 'W14',
      title,
      verdict: isSpread ? 'passed' : 'failed',
      runs: 1,
      recoveriesMs: [recoveryMs],
      note: `at most ${dials} of ${fleet.dials.length} dials in 100 ms, ${taken} taken; ${fleet.up} of ${AGENTS} are back`,
      seed: settings.seed,
      tookMs: Math.round(performance.now() - startedAt),
    });
    expect(dials).toBeLessThanOrEqual(MOST * fleet.dials.length);
    expect(taken).toBeLessThanOrEqual(MOST * AGENTS);
    expect(fleet.up).toBe(AGENTS);
    await fleet.stop();
    expect(fleet.clock.pending).toBe(0);
  });
}
