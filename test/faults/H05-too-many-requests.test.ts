import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says } from './harness/treatments.ts';

const RATE = 10;
const LATE_MS = 500;
/** How coarse the agent's clock is seen from here, ms of its own. */
const SLACK_MS = 40 * RATE;
const PEOPLE = Array.from({ length: 8 }, (_, n) => `+1555010000${n + 2}`);

faultTest('H5 comes back with one message at a time once the backend says that there were too many, and not before', {
  hasSocket: false,
  async fault(run) {
    const { front, clock, ledger } = run;
    const known = front.messages.length;
    await clock.run(RATE);
    let refusedAt: number | undefined;
    let heldBack = 0;
    front.treat = ({ path }) => {
      if (path !== '/edge/message') return passes;
      if (refusedAt !== undefined && clock.elapsedMs - refusedAt > 5_000) {
        // The first is answered late: any other would come meanwhile.
        return heldBack++ > 0 ? passes : (...exchange) => setTimeout(() => passes(...exchange), LATE_MS);
      }
      refusedAt ??= clock.elapsedMs;
      return says(429, '{}', { 'retry-after': '10' });
    };
    for (const from of PEOPLE) run.write(from);
    await waitFor('the first to be taken', () => ledger.accepted.size > known);
    const posts = front.messages.slice(known);
    const refused = posts.filter(({ status }) => status === 429);
    const first = posts.find(({ status }) => status !== 429)!;
    expect(refused.length).toBeLessThanOrEqual(PEOPLE.length);
    expect(refused.filter(({ at }) => at > refused[0]!.at + LATE_MS)).toEqual([]);
    expect(first.at - refused[0]!.at).toBeGreaterThanOrEqual((10_000 - SLACK_MS) / RATE);
    expect(posts.filter(({ at }) => at > first.at && at < first.at + LATE_MS)).toEqual([]);
    await clock.run(1);
  },
  // The connections of so many at once are kept for the next: idle, and no leak.
  expect: ({ rig }) => rig.httpCable.reset(),
});
