import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** What becomes of the agent: it ends in order, leaves nothing uncaught, and starts again as if nothing had been. */
async function stopped(run: FaultRun): Promise<void> {
  const { agent, cable } = run.rig;
  expect(await agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(agent.stderr).toBe('');
  expect(run.rig.agent.log).toMatch(/\[INFO\] stopped\n$/);
  cable.mend();
  run.front.standAside();
}

faultTest('W17 stops in order while it dials', {
  async fault(run) {
    const { rig } = run;
    const known = rig.cable.counters.turnedAway;
    rig.cable.door = 'silent';
    rig.cable.reset();
    await waitFor('the dial', () => rig.cable.counters.turnedAway > known);
    await stopped(run);
    await rig.startAgent();
  },
});

faultTest('W17 stops in order while it waits to dial again', {
  async fault(run) {
    run.rig.cable.cut();
    await run.down();
    await stopped(run);
    await run.rig.startAgent();
  },
});

faultTest('W17 stops in order on a connection whose other end never says goodbye', {
  async fault(run) {
    run.rig.cable.blackHole('open');
    await stopped(run);
    await run.rig.startAgent();
  },
});
