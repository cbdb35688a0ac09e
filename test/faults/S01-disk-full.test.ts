import { join } from 'node:path';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, CAROL, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { inject } from './harness/injected.ts';
import { fill, mountSmallDisk } from './harness/smallDisk.ts';
import { passes } from './harness/treatments.ts';

/** How long two tries may take, ms: it tries again each second. */
const TWO_TRIES_MS = 2_000;

/** Messages, an answer and commands come while nothing can be written; `fillUp` begins that and gives what ends it. */
async function bearsIt(run: FaultRun, fillUp: () => (() => unknown) | Promise<() => unknown>): Promise<void> {
  const { rig, front, ledger } = run;
  const full = Promise.withResolvers<void>();
  const asked = run.write(CAROL);
  front.treat = () => async (response, pass) => {
    await full.promise;
    await passes(response, pass);
  };
  await waitFor('the POST', () => front.postsOf(asked).length === 1);
  const free = await fillUp();
  const { cursor } = await rig.agent.status();
  run.write(ANN);
  await rig.agent.ready(({ conditions }) => conditions.some(({ code }) => code === 'EDGE_STATE_FULL'));
  full.resolve();
  await waitFor('the answer, given again', () => (ledger.accepted.get(asked)?.copies ?? 0) > 1);
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
  await rig.agent.ready(({ conditions }) => conditions.length === 0, TWO_TRIES_MS);
}

faultTest('S1 takes nothing in while the disk is full, says so, stays, and goes on by itself once there is room', {
  needs: ['linux', 'root', 'mount'],
  setup: ({ rig }) => mountSmallDisk(rig.path('state'), 'size=4m'),
  async fault(run) {
    await bearsIt(run, () => fill(run.rig.path('state')));
  },
});

faultTest('S1 bears a disk that takes no write to state.db', {
  needs: ['linux', 'strace'],
  async fault(run) {
    const path = join(run.rig.path('state'), 'state.db');
    await bearsIt(run, () => inject(run.rig.agent.nodePid!, 'pwrite64:error=ENOSPC', [path, `${path}-wal`]));
  },
});
