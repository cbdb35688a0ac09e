import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { passes, says } from './harness/treatments.ts';

const HOURS = 24;
const HOUR_MS = 3600_000;
const MESSAGES = settings.isLong ? 10_000 : 240;
/** So many that no thread has as many answers in a row as look like a loop. */
const PEOPLE = Array.from(
  { length: Math.ceil(MESSAGES / HOURS) },
  (_, n) => `+1555010${String(n + 2).padStart(4, '0')}`,
);
/** The waits are 1, 2, 4 … 300 s, each with up to a quarter on top. */
const LONGEST_MS = 300_000;
/** All are handed over, answered and sent then; a bubble takes its script, and the script a process. */
const RECOVERY_MS = 30_000 + MESSAGES * 200;

faultTest(
  'H1 hands over everything in order after a day without the backend, asked no more often than the table says',
  {
    hasSocket: false,
    rig: { config: { backend: { sync_interval_seconds: 30 } } },
    recoveryMs: RECOVERY_MS,
    timeoutMs: RECOVERY_MS + 60_000 + MESSAGES * 20,
    // The garbage of a day that took ten seconds: it is collected no sooner than for any other ten seconds.
    maxRssMegabytes: 200,
    async fault(run) {
      const { rig, clock, front, ledger } = run;
      rig.httpCable.cut();
      const known = ledger.inserted.length;
      for (let n = 0, hour = 1; hour <= HOURS; hour++) {
        for (; n < (MESSAGES * hour) / HOURS; n++) run.write(PEOPLE[n % PEOPLE.length]);
        await run.read();
        await clock.pass(HOUR_MS);
      }
      const { queues } = await rig.agent.status();
      expect(queues).toMatchObject({ inbound_pending: MESSAGES, dead_letters: 0 });
      expect(front.messages).toHaveLength(known);
      rig.httpCable.mend();
      await run.passUntil('the backend to be tried again', () => ledger.accepted.size > known, {
        stepMs: 5000,
        mostMs: LONGEST_MS * 1.25,
      });
    },
    expect(run) {
      const attempts = run.rig.agent.log.matchAll(/handed over in .* at attempt (\d+)/g);
      const failed = [...attempts].reduce((sum, [, attempt]) => sum + Number(attempt) - 1, 0);
      // The first probe of an outage goes at once.
      expect(failed).toBeGreaterThan((HOURS * HOUR_MS) / (LONGEST_MS * 1.25));
      expect(failed).toBeLessThan((HOURS * HOUR_MS) / LONGEST_MS + 30);
      run.note = `${MESSAGES} messages, ${failed} failed attempts in ${HOURS} h`;
    },
  },
);

/** How long the backend takes over the attempt that succeeds: enough for any other message to overtake it, ms. */
const SLOW_MS = 500;

faultTest('H1 starts no message of a thread past one that waits for its next attempt, or is at it', {
  rig: { config: { backend: { max_in_flight_per_thread: 4 } } },
  async fault(run) {
    const { front } = run;
    const { mark } = run;
    const known = front.messages.length;
    const retried = run.write(ANN);
    front.treat = ({ key }) => {
      if (key !== retried) return passes;
      if (front.postsOf(retried).length === 1) return says(500);
      return async (response, pass) => {
        await new Promise((done) => setTimeout(done, SLOW_MS));
        await passes(response, pass);
      };
    };
    // Until it has failed, others may be on their way beside it.
    await run.logged(/tried again in/, mark);
    for (let n = 0; n < 3; n++) run.write(ANN);
    await run.read();
    await waitFor('the next attempt', () => front.postsOf(retried)[1]?.endedAt !== undefined);
    expect(front.messages.slice(known, known + 2).map(({ key }) => key)).toEqual([retried, retried]);
  },
});
