import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

const TEN_MINUTES_MS = 600_000;
/** 1, 2, 4 … 60 s, each with up to 25 % on top: so many dials at most, and at least, in ten minutes. */
const DIALS = [12, 16];

faultTest('W16 bears ten minutes without a network, and is back at once when the machine wakes', {
  rig: { config: { backend: { sync_interval_seconds: 30 } } },
  async fault(run) {
    const { rig, clock } = run;
    const cables = [rig.cable, rig.httpCable];
    const [mark, cpuMs, known] = [run.mark, run.figures?.cpuMs, rig.cable.counters.accepted];
    for (const cable of cables) cable.cut();
    await run.down();
    run.write();
    await clock.pass(TEN_MINUTES_MS);
    const dials = rig.cable.counters.accepted - known;
    expect(dials).toBeGreaterThanOrEqual(DIALS[0]!);
    expect(dials).toBeLessThanOrEqual(DIALS[1]!);
    if (cpuMs !== undefined) expect(run.figures!.cpuMs - cpuMs).toBeLessThan(TEN_MINUTES_MS / 100);
    expect(run.logSince(mark).match(/\[ERROR\] WebSocket error/g)?.length).toBeLessThanOrEqual(dials);

    for (const cable of cables) cable.mend();
    const asleep = run.mark;
    const before = clock.elapsedMs;
    await clock.run(100);
    await waitFor('the clock to run', () => clock.elapsedMs > before + 1000);
    process.kill(rig.agent.pid!, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(rig.agent.pid!, 'SIGCONT');
    await run.logged('Awake after', asleep);
    await clock.run(1);
    await waitFor('the socket', () => run.isUp(), 3000);
  },
});
