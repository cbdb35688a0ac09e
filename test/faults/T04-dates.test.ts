import { expect } from 'vitest';
import { ANN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const APPLE_EPOCH_MS = Date.UTC(2001, 0, 1);

faultTest('T4 reads dates in seconds and in nanoseconds, does without those that are none, and orders by ROWID', {
  hasSocket: false,
  async fault(run) {
    const now = Date.now();
    const ns = BigInt(now - APPLE_EPOCH_MS) * 1_000_000n;
    const dates: [what: string, date: bigint | null][] = [
      ['nanoseconds', ns],
      ['seconds', BigInt(Math.floor((now - APPLE_EPOCH_MS) / 1000))],
      ['none', 0n],
      ['negative', -5n],
      ['far off', 2n ** 62n],
      ['a minute before the others', ns - 60_000_000_000n],
      ['nanoseconds again', ns + 1n],
    ];
    for (const [ending, date] of dates) run.write(ANN, { ending, columns: { date } });
  },
  expect({ front }) {
    const posted = front.messages.map(({ body }) => JSON.parse(body) as { original_timestamp: string });
    expect(posted).toHaveLength(8); // one before the fault
    for (const { original_timestamp } of posted) {
      expect(Math.abs(Date.parse(original_timestamp) - Date.now()), original_timestamp).toBeLessThan(180_000);
    }
  },
});
