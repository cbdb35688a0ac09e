import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

faultTest('D8 posts a message once that is filled two seconds late, and tells of its edit and of its end by its guid', {
  async fault(run) {
    const { ledger, rig } = run;
    const guid = run.write(ANN, { bodyMs: 2000 });
    run.write(BEN); // waits for nobody
    await waitFor('the message', () => ledger.accepted.has(guid));
    expect(ledger.accepted.get(guid)?.text).toBe(ledger.inserted.find((one) => one.guid === guid)!.text);

    rig.mac.people.edit(guid, 'said in other words');
    await noted(1);
    rig.mac.people.edit(guid, 'said in yet other words', { bodyMs: 300 });
    await noted(2);
    rig.mac.people.unsend(guid);

    // Edited while the agent is not there.
    const other = run.write(BEN);
    await run.quiet(15_000);
    await run.crash();
    rig.mac.people.edit(other, 'said meanwhile');
    await run.restart();
    await waitFor(
      'all of it',
      () => about('message_edited', other).length === 1 && about('message_unsent').length === 1,
    );
    const texts = about('message_edited').map(({ details }) => details.text);
    expect(texts).toEqual(['said in other words', 'said in yet other words']);

    /** In state.db; the backend gets events some seconds later. */
    function noted(times: number): Promise<boolean> {
      return waitFor('the edit', () => rig.agent.log.split(`message_edited in …0002: message ${guid}`).length > times);
    }

    function about(type: string, message = guid) {
      return ledger.told(type).filter(({ details }) => details.message_guid === message);
    }
  },
});
