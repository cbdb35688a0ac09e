import { expect, it } from 'vitest';
import { DoorRig } from './DoorRig.ts';

const MESSAGES = Number(process.env.FAULTS_OUTAGE_MESSAGES ?? 240);
/** So many that no thread has as many answers in a row as look like a loop. */
const PEOPLE = Array.from({ length: Math.ceil(MESSAGES / 24) }, (_, n) => `+1555010${String(n + 2).padStart(4, '0')}`);
const HOUR_MS = 3600_000;
/** The garbage of a day that took ten seconds: it is collected no sooner than for any other ten seconds. */
const MAX_RSS_KB = 200 * 1024;

it('H1 hands over everything in order after a day without the backend, asked no more often than the table says', {
  timeout: 60_000 + MESSAGES * 200,
}, async () => {
  const system = await DoorRig.start({ socket: false, config: { backend: { sync_interval_seconds: 30 } } });
  const { rig, clock } = system;
  rig.httpCable.cut();
  for (let hour = 0; hour < 24; hour++) {
    for (let n = 0; n < MESSAGES / 24; n++) system.write(`of hour ${hour}, number ${n}`, PEOPLE[n % PEOPLE.length]);
    await system.read();
    await clock.pass(HOUR_MS);
  }
  const { queues } = await rig.agent.status();
  expect(queues).toMatchObject({ inbound_pending: system.written.length, dead_letters: 0 });
  rig.httpCable.mend();
  await system.passUntil('the backend to be tried again', () => system.taken.size > 0, {
    stepMs: 5000,
    mostMs: 375_000,
  });
  await system.settled(30_000 + MESSAGES * 200, MAX_RSS_KB);
  const attempts = rig.agent.log.matchAll(/handed over in .* at attempt (\d+)/g);
  const failed = [...attempts].reduce((sum, [, attempt]) => sum + Number(attempt) - 1, 0);
  // 1, 2, 4 … 300 s with up to a quarter on top; the first probe of an outage goes at once.
  expect(failed).toBeGreaterThan((24 * 3600) / 375);
  expect(failed).toBeLessThan((24 * 3600) / 300 + 30);
});
