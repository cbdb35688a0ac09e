import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

/** The row is written so long after the bubble went out, and 5 s after the restart at least. */
const ROW_MS = 7000;
const SETTLE_SECONDS = 10;

faultTest('C6 sends no bubble again whose row comes 5 s after the restart', {
  rig: { config: { sending: { settle_seconds: SETTLE_SECONDS } } },
  async fault(run) {
    const { messages } = run.rig.mac;
    const known = messages.requests.length;
    messages.behave({ rowMs: ROW_MS, afterEffect: () => run.crash() });
    const id = await run.ask();
    await waitFor('the kill', () => !run.rig.agent.isRunning);
    await run.restart();
    await waitFor('the end of the command', () => run.ledger.acks.get(id)?.includes('completed'));
    expect(messages.requests).toHaveLength(known + 1);
  },
});
