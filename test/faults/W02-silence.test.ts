import { expect } from 'vitest';
import { faultTest } from './harness/faultTest.ts';

faultTest('W2 gives up after 10 s on a peer that accepts and says nothing, and on one that only greets', {
  startsAgent: false,
  rig: { config: { backend: { sync_interval_seconds: 30 } } },
  async fault(run) {
    const { rig, clock, front } = run;
    rig.cable.door = 'silent';
    await rig.startAgent({ withSocket: false });
    await clock.pass(11_000);
    await run.logged('[ERROR] WebSocket error: ["no connection within 10 s"]');
    for (const says of ['nothing', 'a greeting']) {
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
      await clock.pass(45_000);
      await run.logged('[WARN] WebSocket closed: code=1006, reason=no frame within 10 s of a ping', mark);
      expect(run.logSince(mark).includes('✅ WebSocket connected')).toBe(says !== 'nothing');
    }
    front.standAside();
    await run.redial();
    await run.both();
  },
});
