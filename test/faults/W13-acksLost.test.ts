import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

faultTest('W13 executes a command once when only its acks get lost, and acknowledges it when the line is whole', {
  async fault(run) {
    const { rig, ledger } = run;
    rig.cable.degrade({ isSwallowing: true }, 'up', 'open');
    const mark = run.mark;
    const id = await run.ask();
    run.write();
    await waitFor(
      'the bubbles',
      () => rig.mac.messages.effects.length === ledger.inserted.length + ledger.asked.length,
    );
    await run.logged(`${id} came again`, mark);
    expect(ledger.acks.get(id)).toBe(undefined);
    rig.cable.mend();
    await waitFor('the ack', () => ledger.acks.get(id));
  },
});
