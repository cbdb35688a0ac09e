import { expect } from 'vitest';
import { faultTest } from './faultTest.ts';

const HOURS = 1;
const HOUR_MS = 3600_000;

faultTest('W5 backs off from a peer that accepts and closes at once: opening alone is no success', {
  rig: { config: { backend: { sync_interval_seconds: 600 } } },
  async fault(run) {
    const { clock, front, rig } = run;
    const known = front.handshakes.length;
    const cpuMs = run.figures?.cpuMs;
    front.upgrade = () => ({ take: (socket) => socket.close(1000) });
    rig.cable.reset();
    await clock.pass(HOURS * HOUR_MS);
    const dialed = front.handshakes.length - known;
    expect(dialed).toBeGreaterThan(HOURS * 45);
    expect(dialed).toBeLessThan(HOURS * 60 + 6);
    if (cpuMs !== undefined) expect(run.figures!.cpuMs - cpuMs).toBeLessThan((HOURS * HOUR_MS) / 100);
    front.standAside();
    await run.hurry(76_000, () => run.isUp());
    await run.both();
  },
});
