import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, CAROL } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says } from './harness/treatments.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3600_000;

faultTest('T3 comes back after 15 min to a backend that asks for longer than a timer can wait, and not at once', {
  hasSocket: false,
  async fault(run) {
    const { front, clock, ledger } = run;
    const endless = says(503, '{}', { 'retry-after': String(2 ** 32) });
    front.treat = ({ path }) => (path === '/edge/message' ? endless : passes);
    const guid = run.write();
    await waitFor('the refusal', () => front.postsOf(guid).length === 1);
    await clock.pass(14 * MINUTE_MS);
    expect(front.postsOf(guid)).toHaveLength(1);
    front.standAside();
    const isTaken = () => ledger.accepted.has(guid);
    await run.passUntil('the retry', isTaken, { stepMs: MINUTE_MS, mostMs: 6 * MINUTE_MS });
  },
});

faultTest('T3 keeps a message for the day it is due, further off than a timer reaches, and does not send it before', {
  hasSocket: false,
  rig: { config: { backend: { sync_interval_seconds: 3600 } } },
  startsAgent: false,
  async fault(run) {
    const { rig, clock } = run;
    await rig.startAgent({ withSocket: false });
    const sendAt = new Date(clock.now() + 30 * DAY_MS).toISOString();
    const payload = { thread_id: CAROL, message_text: 'in a month', send_at: sendAt };
    const id = await rig.command('schedule_message', payload);
    const isThere = () => rig.agent.log.includes(id);
    await run.passUntil('the command', isThere, { stepMs: 30 * MINUTE_MS, mostMs: DAY_MS / 4 });
    await clock.pass(MINUTE_MS);
    expect(rig.bubblesTo(CAROL)).toEqual([]);
    run.write();
    await waitFor('the answer', () => rig.bubblesTo(ANN).length > 0);
    await clock.pass(60 * MINUTE_MS); // the report goes with the next poll
  },
  expect: ({ rig }) => expect(rig.bubblesTo(CAROL)).toEqual([]),
});
