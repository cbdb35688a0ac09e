import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

faultTest('W1 declares a connection dead within 40 s when nothing gets through, and polls at once', {
  async fault(run) {
    const before = run.mark;
    run.rig.cable.blackHole();
    await run.clock.pass(40_500);
    await run.logged('[WARN] WebSocket closed: code=1006', before, 1000);
    await run.logged('[INFO] Command delivery: HTTP polling every 1s', before);
    run.rig.cable.cut(); // the hub hears of it
    const id = await run.ask();
    run.write();
    await waitFor('the ack by HTTP', () => run.ledger.acks.get(id)?.includes('completed'));
    run.rig.cable.mend();
    await run.redial();
  },
});
