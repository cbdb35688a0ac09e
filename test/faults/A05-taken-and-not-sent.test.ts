import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const SETTLE_SECONDS = 2;

faultTest(
  'A5 calls unknown, after two settle times, what Messages took twice and no row shows, and goes on in that chat',
  {
    rig: { config: { sending: { settle_seconds: SETTLE_SECONDS } } },
    async fault(run) {
      const { rig, ledger } = run;
      const known = rig.mac.messages.requests.length;
      rig.mac.messages.behave({ swallow: true, times: 2, only: { target: ANN } });
      const begunAt = run.clock.elapsedMs;
      const id = await run.ask(ANN, { outcome: 'unknown' });
      await run.ask(BEN);
      await run.quiet(15_000);
      expect(run.clock.elapsedMs - begunAt).toBeGreaterThanOrEqual(2 * SETTLE_SECONDS * 1000);
      expect(rig.mac.messages.requests.slice(known).filter(({ target }) => target === ANN)).toHaveLength(2);
      expect((await rig.commandState(id)).error).toContain('unknown outcome');
      await waitFor('the event', () => ledger.told('message_failed').length > 0);
      expect(ledger.told('message_failed')).toMatchObject([
        { details: { reason: expect.stringContaining('unknown') } },
      ]);
      await run.ask(ANN); // the chat itself goes on as well
      await run.quiet(15_000);
    },
  },
);

faultTest('A5 fails what Messages took and then marked as not sent, by its number, and sends it no second time', {
  async fault(run) {
    const { rig, ledger } = run;
    const known = rig.mac.messages.requests.length;
    const errors = [22, 4, 99];
    for (const error of errors) {
      rig.mac.messages.behave({ error, errorMs: 300 });
      const id = await run.ask(ANN, { outcome: 'failed' });
      await run.quiet(15_000);
      expect((await rig.commandState(id)).error).toMatch(
        new RegExp(`^EDGE_SEND_REFUSED: message\\.error ${error}: .+\\.$`),
      );
    }
    expect(rig.mac.messages.requests).toHaveLength(known + errors.length);
    await waitFor('the events', () => ledger.told('message_failed').length === errors.length);
    run.runs = errors.length;
  },
});
