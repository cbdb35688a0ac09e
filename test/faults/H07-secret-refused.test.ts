import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says } from './harness/treatments.ts';

const MINUTE_MS = 60_000;
const OLD = 'an-old-secret';

for (const status of [401, 403]) {
  faultTest(`H7 asks once a minute while it is answered ${status}, and takes the secret that is right by then`, {
    hasSocket: false,
    startsAgent: false,
    rig: { config: { edge: { secret_file: 'secret' } }, env: { EDGE_SECRET: '' } },
    setup: ({ rig }) => writeFileSync(rig.path('secret'), OLD, { mode: 0o600 }),
    async fault(run) {
      const { front, rig, clock, ledger } = run;
      front.treat = ({ secret }) => (secret === rig.secret ? passes : says(status, '{"error":"Invalid token"}'));
      await rig.startAgent({ withSocket: false });
      for (let n = 0; n < 3; n++) run.write();
      await waitFor('the refusal', () => front.messages.length > 0);
      const { conditions } = await rig.agent.ready(({ conditions }) =>
        conditions.some(({ code }) => code === 'EDGE_BACKEND_AUTH'),
      );
      expect(conditions).toMatchObject([{ code: 'EDGE_BACKEND_AUTH', name: 'backend-auth' }]);
      await run.read();
      const before = front.messages.length;
      await clock.pass(10 * MINUTE_MS);
      expect(front.messages.length - before).toBeGreaterThanOrEqual(8);
      expect(front.messages.length - before).toBeLessThanOrEqual(11);
      expect(ledger.accepted.size).toBe(0);
      writeFileSync(rig.path('secret'), rig.secret);
      const isTaken = () => ledger.accepted.size > 0;
      await run.passUntil('the new secret', isTaken, { stepMs: 10_000, mostMs: MINUTE_MS + 20_000 });
    },
    expect: ({ rig }) => expect(rig.agent.log).not.toContain(OLD),
  });
}
