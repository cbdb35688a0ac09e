import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

const SETTLE_MS = 2000;
const rig = { config: { sending: { settle_seconds: SETTLE_MS / 1000 } } };

faultTest('C4 tries a bubble once more that never went out, and not before the settle time is over', {
  rig,
  async fault(run) {
    const { messages } = run.rig.mac;
    let askedAt = 0;
    messages.behave({
      beforeEffect: async () => {
        askedAt = performance.now();
        await run.crash();
      },
      swallow: true,
    });
    const known = messages.requests.length;
    await run.ask();
    await waitFor('the kill', () => askedAt > 0 && !run.rig.agent.isRunning);
    await run.restart();
    await waitFor('the retry', () => messages.requests.length > known + 1);
    expect(performance.now() - askedAt).toBeGreaterThanOrEqual(SETTLE_MS);
    await run.quiet(15_000);
    expect(messages.requests).toHaveLength(known + 2);
  },
});

faultTest('C4 leaves a bubble to the osascript that outlived the agent, and does not send it again', {
  rig,
  async fault(run) {
    const { messages } = run.rig.mac;
    messages.behave({ beforeEffect: () => run.crash(), beforeEffectMs: SETTLE_MS / 4 });
    const known = messages.requests.length;
    run.write();
    await waitFor('the kill', () => !run.rig.agent.isRunning);
    await run.restart();
    await run.quiet(15_000);
    expect(messages.requests).toHaveLength(known + 1);
  },
});
