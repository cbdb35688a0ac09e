import { join } from 'node:path';
import { expect } from 'vitest';
import { ANN, BEN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { inject } from './harness/injected.ts';
import { fill, mountSmallDisk } from './harness/smallDisk.ts';

/** Messages and commands come while nothing can be written; `free` ends it. */
async function bearsIt(run: FaultRun, free: () => unknown): Promise<void> {
  const { rig } = run;
  const { cursor } = await rig.agent.status();
  run.write(ANN);
  await rig.agent.ready(({ conditions }) => conditions.some(({ code }) => code === 'EDGE_STATE_FULL'));
  for (const thread of [BEN, ANN]) await run.both(thread);
  // Three times over: it tries again each second.
  const mark = run.mark;
  await run.clock.pass(3_000);
  const status = await rig.agent.ready();
  expect(status.conditions).toMatchObject([{ code: 'EDGE_STATE_FULL', name: 'disk-full' }]);
  expect(status.cursor).toEqual(cursor);
  expect(run.logSince(mark)).not.toContain('received');
  await free();
  run.liftedAt = performance.now();
}

faultTest('S1 takes nothing in while the disk is full, says so, stays, and goes on by itself once there is room', {
  needs: ['linux', 'root', 'mount'],
  setup: ({ rig }) => mountSmallDisk(rig.path('state'), 'size=4m'),
  async fault(run) {
    await bearsIt(run, fill(run.rig.path('state')));
  },
});

faultTest('S1 bears a disk that takes no write to state.db', {
  needs: ['linux', 'strace'],
  async fault(run) {
    const path = join(run.rig.path('state'), 'state.db');
    const lift = await inject(run.rig.agent.nodePid!, 'pwrite64:error=ENOSPC', [path, `${path}-wal`]);
    await bearsIt(run, lift);
  },
});
