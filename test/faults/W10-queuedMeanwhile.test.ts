import { ANN, BEN } from './FaultRun.ts';
import { faultTest } from './faultTest.ts';
import { commandsWentOutInOrder } from './invariants.ts';

faultTest('W10 fetches what was queued while it was away, in order, none missed and none twice', {
  async fault(run) {
    const { rig } = run;
    for (const cable of [rig.cable, rig.httpCable]) cable.cut();
    await run.down();
    for (let n = 0; n < 10; n++) await run.ask(n % 2 === 0 ? ANN : BEN);
    for (const cable of [rig.cable, rig.httpCable]) cable.mend();
    await run.up();
  },
  expect(run) {
    for (const thread of [ANN, BEN]) commandsWentOutInOrder(run, thread);
  },
});
