import { expect, onTestFinished } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { Front } from './harness/Front.ts';
import { faultTest } from './harness/faultTest.ts';
import { says } from './harness/treatments.ts';

for (const status of [301, 302, 307, 308]) {
  faultTest(`H10 does not follow ${status} to another host, says so, and goes on when it is over`, {
    hasSocket: false,
    async fault(run) {
      const { front, rig } = run;
      const elsewhere = await new Front().start();
      onTestFinished(() => elsewhere.stop());
      elsewhere.treat = () => says(200);
      front.treat = ({ path }) => says(status, '', { location: `${elsewhere.url}${path}` });
      const guid = run.write();
      await waitFor('the refusal', () => front.postsOf(guid).length > 0);
      await rig.agent.ready(({ conditions }) => conditions.some(({ code }) => code === 'EDGE_BACKEND_REDIRECT'));
      front.standAside();
      await waitFor('the message', () => run.ledger.accepted.has(guid));
      expect(elsewhere.knocks).toEqual([]);
    },
  });
}
