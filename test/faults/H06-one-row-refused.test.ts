import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';
import { retryAll } from './harness/retryAll.ts';
import { passes, says } from './harness/treatments.ts';

const PEOPLE = Array.from({ length: 10 }, (_, n) => `+155501000${String(n + 10)}`);

for (const status of [400, 413, 422]) {
  faultTest(
    `H6 sets the one message of 100 aside that is answered ${status}, passes the others, and sends it again when told`,
    {
      hasSocket: false,
      recoveryMs: 20_000,
      async fault(run) {
        const { front, rig, ledger } = run;
        const known = ledger.accepted.size;
        front.treat = ({ path, body }) =>
          path === '/edge/message' && body.includes('number 50') ? says(status, '{"error":"no such field"}') : passes;
        for (let n = 0; n < 100; n++) {
          const kind = n === 50 ? 'late' : 'live';
          run.write(PEOPLE[n % PEOPLE.length], { ending: `number ${n}`, kind });
        }
        await waitFor('the other 99', () => ledger.accepted.size - known === 99, 20_000);
        const { guid } = ledger.inserted.find(({ text }) => text.endsWith('number 50'))!;
        const said = await rig.agent.ready(({ queues }) => (queues as { dead_letters: number }).dead_letters === 1);
        expect(said.dead_letters).toMatchObject([{ guid, detail: expect.stringContaining(`answered ${status}`) }]);
        expect(JSON.stringify(said.dead_letters)).toContain('no such field');
        expect(front.postsOf(guid)).toHaveLength(1);
        front.standAside();
        expect(await retryAll(rig)).toEqual({ retried: 1 });
      },
    },
  );
}
