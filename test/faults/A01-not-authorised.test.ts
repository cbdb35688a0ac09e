import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const MINUTE_MS = 60_000;
const MINUTES = 10;

faultTest('A1 fails nothing while macOS forbids it Messages, asks once a minute, and then sends all in order', {
  commandsInOrder: true,
  async fault(run) {
    const { rig, clock } = run;
    rig.mac.messages.automation = 'denied';
    const known = rig.mac.messages.requests.length;
    const mark = run.mark;
    for (const thread of [ANN, ANN, BEN]) await run.ask(thread);
    run.write();
    const { conditions } = await rig.agent.ready((status) => status.conditions.length > 0);
    expect(conditions).toMatchObject([
      { code: 'EDGE_SEND_NOT_PERMITTED', name: 'automation-denied', fix: expect.stringContaining('Automation') },
    ]);
    await run.read();
    await clock.pass(MINUTES * MINUTE_MS);
    const probes = rig.mac.messages.requests.length - known;
    expect(probes).toBeGreaterThanOrEqual(MINUTES - 1);
    expect(probes).toBeLessThanOrEqual(MINUTES + 1);
    expect(run.logSince(mark).match(/\[ERROR\] EDGE_SEND_NOT_PERMITTED/g)).toHaveLength(1);

    const refused = rig.mac.messages.requests.length;
    rig.mac.messages.automation = 'granted';
    run.liftedAt = performance.now();
    await run.passUntil('the next probe', () => rig.mac.messages.requests.length > refused, {
      stepMs: 10_000,
      mostMs: MINUTE_MS + 10_000,
    });
    await waitFor('the answers', () => rig.mac.messages.effects.length === run.ledger.bubblesDue);
  },
});
