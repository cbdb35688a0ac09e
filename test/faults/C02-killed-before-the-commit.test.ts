import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

/** How long the agent has, when the answer is there, until it is killed, ms; undefined: it is stopped before it can read any of it. */
const MOMENTS = [undefined, 0, 1, 2, 4];

faultTest(
  'C2 posts a message once more, under its key, when the answer was there and not yet written down at the kill',
  {
    async fault(run) {
      const { rig, front } = run;
      run.runs = MOMENTS.length;
      for (const moment of MOMENTS) {
        const killed = Promise.withResolvers<void>();
        front.treat = () => async (response, pass) => {
          front.standAside();
          const { status, headers, body } = await pass();
          if (moment === undefined) process.kill(rig.agent.pid!, 'SIGSTOP');
          const known = rig.httpCable.counters.down;
          response.writeHead(status, headers).end(body);
          await waitFor('the answer to be there', () => rig.httpCable.counters.down >= known + body.length);
          await pause(moment ?? 0);
          await run.crash();
          killed.resolve();
        };
        const guid = run.write();
        await killed.promise;
        await run.restart();
        await run.quiet(15_000);
        const keys = front.messages.filter(({ body }) => body.includes(guid)).map(({ key }) => key);
        expect(new Set(keys)).toEqual(new Set([guid]));
        expect(keys.length).toBeLessThanOrEqual(2);
        if (moment === undefined) expect(keys).toHaveLength(2);
      }
    },
  },
);
