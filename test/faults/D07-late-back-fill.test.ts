import { expect } from 'vitest';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const TWO_YEARS_MS = 2 * 365 * 86_400_000;
const ROWS = 40;

faultTest('D7 hands old messages with new numbers over as history, and answers who writes in between', {
  async fault(run) {
    const { chatDb, cloud } = run.rig.mac;
    run.write(BEN);
    for (const everyMs of [undefined, 5]) {
      leaveGap();
      const block = { messages: ROWS, olderMs: TWO_YEARS_MS, threads: [ANN, BEN], shuffled: true };
      const guids = cloud.backfillBlock({ ...block, ...(everyMs !== undefined && { everyMs }) });
      await run.both(ANN);
      await run.rig.mac.settled();
      for (const guid of guids) noteHistory(guid);
      leaveGap();
      await run.both(BEN);
    }
    // One alone is old by its date.
    leaveGap();
    run.write(ANN, { kind: 'history', dateAt: Date.now() - TWO_YEARS_MS });
    run.write(ANN);

    function leaveGap(): void {
      chatDb.run(`UPDATE sqlite_sequence SET seq = seq + 1000 WHERE name = 'message'`);
    }

    function noteHistory(guid: string): void {
      const { thread } = chatDb.get<{ thread: string }>(
        'SELECT h.id AS thread FROM message m JOIN handle h ON h.ROWID = m.handle_id WHERE m.guid = ?',
        guid,
      )!;
      run.wrote({ guid, thread, text: `the past ${guid}`, kind: 'history', arrivesChanged: true });
    }
  },
  expect({ ledger }) {
    expect([...ledger.accepted.values()].filter(({ isHistory }) => isHistory)).toHaveLength(2 * ROWS + 1);
  },
});
