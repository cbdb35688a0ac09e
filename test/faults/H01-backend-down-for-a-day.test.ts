import { expect } from 'vitest';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';

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
