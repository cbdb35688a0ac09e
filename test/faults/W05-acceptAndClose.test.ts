import { expect } from 'vitest';
import { faultTest } from './harness/faultTest.ts';

const MINUTES = 20;
const MINUTE_MS = 60_000;

faultTest('W5 backs off from a peer that accepts and closes at once: opening alone is no success', {
  rig: { config: { backend: { sync_interval_seconds: 600 } } },
  async fault(run) {
    const { clock, front, rig } = run;
    const known = front.handshakes.length;
    const cpuMs = run.figures?.cpuMs;
    front.upgrade = () => ({ take: (socket) => socket.close(1000) });
    rig.cable.reset();
    await clock.pass(MINUTES * MINUTE_MS);
    const dialed = front.handshakes.length - known;
    expect(dialed).toBeGreaterThan(MINUTES * 0.75);
    expect(dialed).toBeLessThan(MINUTES + 6);
    if (cpuMs !== undefined) expect(run.figures!.cpuMs - cpuMs).toBeLessThan((MINUTES * MINUTE_MS) / 100);
    front.standAside();
    await run.redial();
    await run.both();
  },
});
