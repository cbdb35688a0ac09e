import { expect } from 'vitest';
import { faultTest } from './harness/faultTest.ts';

/** What the peer says, and how long after it the agent ends the connection, ms: a greeting is worth a ping interval. */
const ENDS = [
  ['nothing', 10_000],
  ['a greeting', 40_000],
] as const;
/** For what is done to be seen in the log, real ms. */
const ARRIVAL_MS = 5_000;

faultTest('W2 gives up after 10 s on a peer that accepts and says nothing, and after 40 s on one that only greets', {
  startsAgent: false,
  rig: { config: { backend: { sync_interval_seconds: 30 } } },
  async fault(run) {
    const { rig, clock, front } = run;
    rig.cable.door = 'silent';
    await rig.startAgent({ withSocket: false });
    await clock.pass(11_000);
    await run.logged('[ERROR] WebSocket error: ["no connection within 10 s"]');
    for (const [says, afterMs] of ENDS) {
      const mark = run.mark;
      let opened = 0;
      front.upgrade = () => ({
        take(socket) {
          opened++;
          if (says !== 'nothing') socket.send(JSON.stringify({ type: 'connected' }));
        },
      });
      rig.cable.mend();
      await run.redial(() => opened > 0);
      const end = '[WARN] WebSocket closed: code=1006, reason=no frame within 10 s of a ping';
      await clock.pass(afterMs - 5_000);
      expect(run.logSince(mark)).not.toContain(end);
      await clock.pass(6_000);
      await run.logged(end, mark, ARRIVAL_MS);
      expect(run.logSince(mark).includes('✅ WebSocket connected')).toBe(says !== 'nothing');
    }
    front.standAside();
    await run.redial();
    await run.both();
  },
});
