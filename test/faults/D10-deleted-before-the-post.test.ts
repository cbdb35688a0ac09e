import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says } from './harness/treatments.ts';

faultTest('D10 delivers a message whose row was deleted after it was read', {
  async fault(run) {
    const { front, rig } = run;
    front.treat = ({ path }) => (path === '/edge/message' ? says(503) : passes);
    const guids = [run.write(ANN), run.write(BEN), run.write(ANN)];
    await run.read();
    await waitFor('a refusal', () => front.messages.some(({ status }) => status === 503));
    for (const guid of guids) rig.mac.people.remove(guid);
    await run.crash();
    front.standAside();
    await run.restart();
  },
});
