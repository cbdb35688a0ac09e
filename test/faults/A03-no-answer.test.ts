import { expect } from 'vitest';
import { ANN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** So that an osascript is ended, and the settle time over, soon. */
const config = { sending: { script_timeout_seconds: 1, settle_seconds: 3 } };
/** How long after a bubble its row may be looked at for another. */
const RECEIPTS_MS = 15_000;

faultTest('A3 sends nothing again when osascript was ended, or said -1712, after the bubble had gone out', {
  rig: { config },
  async fault(run) {
    const { messages } = run.rig.mac;
    const known = messages.requests.length;
    const faults = [
      { hang: 'after-effect' },
      { hang: 'after-effect', rowMs: 2000 },
      { failAfterEffect: -1712 },
      { failAfterEffect: -1712, rowMs: 2000 },
    ] as const;
    for (const fault of faults) {
      messages.behave(fault);
      await run.ask();
      await run.quiet(15_000);
    }
    run.runs = faults.length;
    expect(messages.requests).toHaveLength(known + faults.length);
    expect(run.rig.agent.log).toContain('EDGE_SEND_TIMEOUT');
  },
});

faultTest('A3 sends once more when osascript was ended, or said -1712, and no row has come by the settle time', {
  rig: { config },
  async fault(run) {
    const { messages } = run.rig.mac;
    const faults = [{ hang: 'before-effect' }, { fail: -1712 }] as const;
    for (const fault of faults) {
      const known = messages.requests.length;
      messages.behave(fault);
      const begunAt = run.clock.elapsedMs;
      await run.ask();
      await run.quiet(20_000);
      expect(messages.requests).toHaveLength(known + 2);
      expect(run.clock.elapsedMs - begunAt).toBeGreaterThanOrEqual(3000);
    }
    // The same again in the time in which a second row of the last is looked for.
    await run.ask(ANN, { text: run.ledger.asked.at(-1)!.text });
    await run.quiet(20_000);
    await run.clock.pass(RECEIPTS_MS);
    expect(run.rig.agent.log).not.toContain('EDGE_SEND_TWICE');
    run.runs = faults.length;
  },
});

faultTest('A3 ends as unknown, after two attempts in all, what leaves no trace twice', {
  rig: { config },
  async fault(run) {
    const { messages } = run.rig.mac;
    const known = messages.requests.length;
    messages.behave({ hang: 'before-effect', times: 2 });
    const id = await run.ask(undefined, { outcome: 'unknown' });
    await run.quiet(20_000);
    expect(messages.requests).toHaveLength(known + 2);
    expect((await run.rig.commandState(id)).error).toContain('unknown outcome');
    // A receipt of it may come for a day: the row of the next bubble that says the same is none.
    await run.ask(ANN, { text: run.ledger.asked.find((one) => one.id === id)!.text });
    await run.quiet(15_000);
    await run.clock.pass(RECEIPTS_MS);
    expect((await run.rig.commandState(id)).state).toBe('failed');
  },
});
