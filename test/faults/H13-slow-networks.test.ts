import { expect } from 'vitest';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const NETWORKS = [
  ['comes byte by byte, one each 5 ms', { slice: { bytes: 1, everyMs: 5 } }],
  ['takes 2 s ± 1 s', { latencyMs: 1000, jitterMs: 2000 }],
  ['is carried at 8 kB/s', { bytesPerSecond: 8192 }],
] as const;
const SLOWLY_MS = 40_000;

for (const [what, faults] of NETWORKS) {
  faultTest(`H13 passes everything where the network ${what}`, {
    rig: { config: { backend: { sync_interval_seconds: 30 } } },
    timeoutMs: SLOWLY_MS + 30_000,
    async fault(run) {
      const { rig, front } = run;
      const dials = front.handshakes.length;
      for (const cable of [rig.httpCable, rig.cable]) cable.degrade(faults);
      for (const from of [ANN, BEN]) await run.both(from);
      await run.done(SLOWLY_MS);
      expect(front.handshakes).toHaveLength(dials);
      for (const cable of [rig.httpCable, rig.cable]) cable.mend();
    },
    expect({ front, ledger }) {
      for (const { guid } of ledger.inserted) expect(front.postsOf(guid)).toHaveLength(1);
    },
  });
}
