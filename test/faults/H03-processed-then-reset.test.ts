import { expect } from 'vitest';
import { ANN, BEN, CAROL } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, takenThenReset } from './harness/treatments.ts';

faultTest('H3 posts what may have been taken again under the same key, and it is taken once and answered once', {
  async fault(run) {
    const { front } = run;
    front.treat = ({ key }) => (key && front.postsOf(key).length === 1 ? takenThenReset : passes);
    for (const from of [ANN, BEN, CAROL]) for (let n = 0; n < 2; n++) run.write(from);
  },
  expect({ front, ledger }) {
    const [, ...written] = ledger.inserted; // the first was before the fault
    for (const { guid } of written) {
      expect(front.postsOf(guid)).toHaveLength(2);
      expect(ledger.accepted.get(guid)?.copies).toBe(2);
    }
  },
});
