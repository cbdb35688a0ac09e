import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

const TEN_MINUTES_MS = 600_000;
/** A sleep that is noticed, and the tick that does so. */
const NAP_MS = 20_000;
const TICK_MS = 5_000;
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

    // The next dial is a minute from the last: far beyond this sleep and the tick after it.
    const { counters } = rig.cable;
    const soFar = counters.accepted;
    await run.passUntil('a dial', () => counters.accepted > soFar, { stepMs: 2_500, mostMs: 80_000 });
    for (const cable of cables) cable.mend();
    const asleep = run.mark;
    await clock.sleep(NAP_MS);
    await clock.pass(TICK_MS);
    await run.logged('Awake after', asleep);
    await waitFor('the socket', () => run.isUp());
  },
});
