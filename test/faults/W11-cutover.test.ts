import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { handsOverBySync } from './harness/handsOverBySync.ts';

/** Each costs a wait to dial again by the real clock: one that leaps would break the sync off. */
const ROUNDS = 2;

faultTest('W11 loses and doubles nothing when the socket delivers while the catch-up sync is under way', {
  commandsInOrder: true,
  async fault(run) {
    const { front, rig } = run;
    const syncs = () => front.knocks.filter(({ path }) => path === '/edge/sync').length;
    rig.cable.cut();
    await run.down();
    for (let round = 0; round < ROUNDS; round++) {
      rig.httpCable.degrade({ latencyMs: 150 }, 'down');
      await run.ask();
      const known = syncs();
      rig.cable.mend();
      await run.up();
      await waitFor('the catch-up sync', () => syncs() > known);
      for (let n = 0; n < 3; n++) await run.ask();
      rig.httpCable.mend();
      rig.cable.cut();
      await run.down();
      await run.ask();
    }
    rig.cable.mend();
  },
});

faultTest('W11 sends what was queued while it was away before what the socket delivers while the sync is under way', {
  commandsInOrder: true,
  async fault(run) {
    const { rig } = run;
    const askThree = async () => [await run.ask(ANN), await run.ask(BEN), await run.ask(ANN)];
    for (const cable of [rig.cable, rig.httpCable]) cable.cut();
    await run.down();
    await handsOverBySync(run, { ids: await askThree(), meanwhile: askThree });
  },
});
