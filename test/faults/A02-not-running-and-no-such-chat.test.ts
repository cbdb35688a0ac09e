import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const MINUTE_MS = 60_000;
const MINUTES = 10;
/** 1, 2, 4 … 32 s in the first minute, then 60 s each: so many attempts at most, and at least, in ten minutes. */
const ATTEMPTS = [12, 16];

faultTest('A2 starts a Messages that was quit, and sends each bubble once', {
  commandsInOrder: true,
  async fault(run) {
    const { messages } = run.rig.mac;
    const mark = run.mark;
    messages.quit();
    for (const thread of [ANN, ANN, BEN]) await run.ask(thread);
    await run.quiet(15_000);
    expect(messages.process.launches).toBe(1);
    expect(run.logSince(mark).match(/Messages was not running and was started/g)).toHaveLength(1);
  },
});

faultTest('A2 tries less and less often while Messages does not stay up, and starts it once a minute at most', {
  commandsInOrder: true,
  async fault(run) {
    const { rig, clock } = run;
    const { messages } = rig.mac;
    const [known, mark] = [messages.requests.length, run.mark];
    messages.behave({ fail: -600, times: 'always' });
    messages.quit();
    for (const thread of [ANN, ANN, BEN]) await run.ask(thread);
    const { conditions } = await rig.agent.ready((status) => status.conditions.length > 0);
    expect(conditions).toMatchObject([{ code: 'EDGE_SEND_MESSAGES_DOWN', name: 'messages-not-running' }]);
    // Whatever starts it, it is gone again when it is asked.
    const endsAgain = setInterval(() => messages.quit(), 5);
    try {
      await clock.pass(MINUTES * MINUTE_MS);
    } finally {
      clearInterval(endsAgain);
    }
    expect(messages.requests.length - known).toBeGreaterThanOrEqual(ATTEMPTS[0]!);
    expect(messages.requests.length - known).toBeLessThanOrEqual(ATTEMPTS[1]!);
    expect(messages.process.launches).toBeLessThanOrEqual(MINUTES + 1);
    expect(run.logSince(mark).match(/\[ERROR\] EDGE_SEND_MESSAGES_DOWN/g)).toHaveLength(1);

    messages.behaveWell();
    messages.launch();
    const tried = messages.requests.length;
    run.liftedAt = performance.now();
    await run.passUntil('the next attempt', () => messages.requests.length > tried, {
      stepMs: 10_000,
      mostMs: MINUTE_MS + 10_000,
    });
  },
});

faultTest('A2 fails a bubble by its name, after each form of address once, when Messages knows no such chat', {
  async fault(run) {
    const { rig, ledger } = run;
    const { messages } = rig.mac;
    const known = messages.requests.length;
    messages.behave({ fail: -1728, times: 2 });
    const id = await run.ask(ANN, { outcome: 'failed' });
    await run.ask(BEN);
    await run.quiet(10_000);
    expect(messages.requests.slice(known).map(({ form }) => form)).toEqual(['participant', 'chat', 'participant']);
    expect((await rig.commandState(id)).error).toMatch(/^EDGE_SEND_NO_SUCH_CHAT: -1728: /);
    await waitFor('the event', () => ledger.told('message_failed').length > 0);
    expect(ledger.told('message_failed')).toMatchObject([{ details: { key: `command:${id}` } }]);
  },
});
