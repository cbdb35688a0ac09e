import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, CAROL } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says } from './harness/treatments.ts';

const DAY_MS = 24 * 3600_000;
const STEPS: [what: string, steps: number[]][] = [
  ['back by a day', [-DAY_MS]],
  ['on by a year', [365 * DAY_MS]],
  ['back by a second, five times', [-1000, -1000, -1000, -1000, -1000]],
];

for (const [what, steps] of STEPS) {
  faultTest(`T1 neither stalls nor storms when the wall clock is set ${what}`, {
    async fault(run) {
      const { front, clock, ledger } = run;
      front.treat = ({ key }) =>
        key && front.postsOf(key).length === 1 ? says(503, '{}', { 'retry-after': '2' }) : passes;
      const guid = run.write(ANN);
      await waitFor('the first attempt', () => front.postsOf(guid).length === 1);
      for (const step of steps) clock.jumpWall(step);
      await waitFor('the retry', () => ledger.accepted.has(guid));
      const [first, second] = front.postsOf(guid);
      expect(second!.at - first!.at).toBeGreaterThan(1_000);
      expect(second!.at - first!.at).toBeLessThan(8_000);
      run.write(BEN);
      run.write(CAROL);
      await run.ask();
    },
    expect({ front, ledger }) {
      for (const { guid } of ledger.inserted.slice(1)) expect(front.postsOf(guid)).toHaveLength(2);
    },
  });
}
