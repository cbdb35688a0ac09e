import { faultTest } from './faultTest.ts';

faultTest('W2 gives up after 10 s on a peer that accepts and says nothing, and on one that only greets', {
  startsAgent: false,
  rig: { config: { backend: { sync_interval_seconds: 30 } } },
  async fault(run) {
    const { rig, clock, front } = run;
    rig.cable.door = 'silent';
    await rig.startAgent({ withSocket: false });
    await clock.pass(11_000);
    await run.logged('[ERROR] WebSocket error: ["no connection within 10 s"]');
    const second = run.mark;
    front.upgrade = () => ({ take() {} });
    rig.cable.mend();
    await run.logged('✅ WebSocket connected', second);
    await clock.pass(11_000);
    await run.logged('[WARN] WebSocket closed: code=1006, reason=no frame within 10 s of a ping', second);
    front.standAside();
    await run.hurry(76_000, () => run.isUp());
    await run.both();
  },
});
