import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, CANARY, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const MINUTE_MS = 60_000;
const MAX_LATE_MS = 10 * MINUTE_MS;
const config = { scheduler: { max_late_seconds: MAX_LATE_MS / 1000 } };
/** Times as fast as real time: the sleep of minutes takes seconds. */
const RATE = 100;

/** A bubble that is due in so many ms of the agent's clock. */
async function schedule(run: FaultRun, thread: string, inMs: number, outcome: 'completed' | 'failed'): Promise<string> {
  const text = `${CANARY} in ${inMs} ms`;
  const send_at = new Date(run.clock.now() + inMs).toISOString();
  const id = await run.rig.command('schedule_message', { thread_id: thread, message_text: text, send_at });
  run.ledger.asked.push({ id, thread, text, outcome });
  await waitFor('the received ack', () => run.ledger.acks.get(id)?.includes('received'));
  return id;
}

async function isToldAsExpired(run: FaultRun, id: string): Promise<void> {
  const { ledger, rig } = run;
  await waitFor('the event', () => ledger.told('message_failed').length > 0);
  expect(ledger.told('message_failed')).toMatchObject([
    { details: { schedule_id: id, reason: expect.stringMatching(/^EDGE_SCHEDULE_EXPIRED: expired: due at /) } },
  ]);
  await waitFor('the ack', () => ledger.acks.get(id)?.includes('failed'));
  expect((await rig.commandState(id)).error).toMatch(/^EDGE_SCHEDULE_EXPIRED: expired: due at /);
  expect(rig.agent.log).toContain('EDGE_SCHEDULE_EXPIRED');
}

faultTest('A8 never sends what fell due while it slept for too long, and sends what is not too late at once', {
  rig: { config },
  async fault(run) {
    const { rig, clock } = run;
    const tooLate = await schedule(run, ANN, 2 * MINUTE_MS, 'failed');
    await schedule(run, BEN, 10 * MINUTE_MS, 'completed');
    await clock.run(RATE);
    const before = clock.now();
    process.kill(rig.agent.nodePid!, 'SIGSTOP');
    await waitFor('the sleep', () => clock.now() - before > 15 * MINUTE_MS, 15_000);
    process.kill(rig.agent.nodePid!, 'SIGCONT');
    await run.logged('Awake after');
    await clock.run(1);
    await isToldAsExpired(run, tooLate);
  },
});

faultTest('A8 never sends what fell due while it was off for too long, and says so once a minute has shown the time', {
  rig: { config },
  async fault(run) {
    const { rig, clock } = run;
    const tooLate = await schedule(run, ANN, 2 * MINUTE_MS, 'failed');
    await schedule(run, BEN, 10 * MINUTE_MS, 'completed');
    await rig.agent.kill('SIGTERM');
    clock.jumpWall(15 * MINUTE_MS);
    await run.restart();
    await run.passUntil('the end', () => run.ledger.told('message_failed').length > 0, {
      stepMs: 10_000,
      mostMs: 2 * MINUTE_MS,
    });
    await isToldAsExpired(run, tooLate);
  },
});
