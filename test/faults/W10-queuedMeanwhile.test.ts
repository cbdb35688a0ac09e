import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

faultTest('W10 fetches what was queued while it was away, in order, none missed and none twice', {
  commandsInOrder: true,
  async fault(run) {
    const { rig } = run;
    for (const cable of [rig.cable, rig.httpCable]) cable.cut();
    await run.down();
    for (let n = 0; n < 10; n++) await run.ask(n % 2 === 0 ? ANN : BEN);
    for (const cable of [rig.cable, rig.httpCable]) cable.mend();
    await run.up();
  },
});
