import { expect } from 'vitest';
import type { AgentStatusView } from '../../scripts/rig/AgentProcess.ts';
import type { AgentStatus } from '../../src/ops/status.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const MINUTE_MS = 60_000;
const PER_MINUTE = 4;
const BUBBLES = 10;
/** The line in the log is later than what the limit counts by, ms. */
const LOG_MS = 1000;

faultTest('A9 holds back what is too much, for all to see and across a crash, and sends all of it in order', {
  commandsInOrder: true,
  rig: { config: { sending: { rate: { per_minute: PER_MINUTE, per_hour: 0, new_threads_per_day: 0 } } } },
  async fault(run) {
    const { rig, ledger } = run;
    const { effects } = rig.mac.messages;
    // Two of the four went out before.
    for (let n = 0; n < BUBBLES; n++) await run.ask(n % 3 === 0 ? BEN : ANN);
    const left = BUBBLES - (PER_MINUTE - 2);
    const heldBack = ({ sending }: AgentStatusView) => (sending as AgentStatus['sending']).waiting_for_rate === left;
    const { sending } = await rig.agent.ready(heldBack);
    const { next_at } = sending as AgentStatus['sending'];
    expect(Date.parse(next_at!) - run.clock.now()).toBeLessThanOrEqual(MINUTE_MS);
    expect(effects).toHaveLength(PER_MINUTE);
    await run.clock.pass(11_000);
    const { conditions } = await rig.agent.ready((status) => status.conditions.length > 0);
    expect(conditions).toMatchObject([{ code: 'EDGE_SEND_RATE' }]);
    await rig.agent.kill('SIGKILL');
    await run.restart();
    await rig.agent.ready(heldBack);
    expect(effects).toHaveLength(PER_MINUTE);

    const mostMs = (BUBBLES / PER_MINUTE + 1) * MINUTE_MS;
    await run.passUntil('the last bubble', () => effects.length === ledger.bubblesDue, { stepMs: 5000, mostMs });
    await run.clock.pass(11_000);
    const begun = [...rig.agent.log.matchAll(/^\[(.+?)\] \[INFO\] Send \d+ to …\d+ started/gm)].map(([, at]) =>
      Date.parse(at!),
    );
    expect(begun).toHaveLength(BUBBLES + 2);
    // Whichever of them follow one another, the fifth is not in the minute of the first.
    const minutes = begun.slice(PER_MINUTE).map((at, index) => at - begun[index]!);
    expect(Math.min(...minutes)).toBeGreaterThanOrEqual(MINUTE_MS - LOG_MS);
    expect(ledger.told('message_failed')).toEqual([]);
  },
});
