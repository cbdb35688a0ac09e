import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, silence } from './harness/treatments.ts';

/** As long for the agent as a minute: a gap in its ticks of 5 s. */
const RATE = 20;
const ASLEEP_MS = 3_000;
/** Of the agent's clock: so long an outage that it dials once a minute, a sleep that is noticed, and a tick. */
const OUTAGE_MS = 130_000;
const NAP_MS = 20_000;
const TICK_MS = 5_000;

async function sleeps({ rig }: FaultRun): Promise<void> {
  process.kill(rig.agent.pid!, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, ASLEEP_MS));
  process.kill(rig.agent.pid!, 'SIGCONT');
}

/** After it woke the socket is another one, whatever the old one says of itself. */
async function wakes(run: FaultRun, dials: number): Promise<void> {
  await run.logged('Awake after');
  await waitFor('another socket', () => run.rig.cable.acceptedAt.length > dials);
  await run.up();
  await run.clock.run(1);
}

faultTest('T2 replaces its socket after a sleep and catches up', {
  async fault(run) {
    const dials = run.rig.cable.acceptedAt.length;
    await run.clock.run(RATE);
    const asleep = sleeps(run);
    await run.both();
    await asleep;
    await wakes(run, dials);
  },
});

faultTest('T2 posts again what was on its way when it fell asleep, under the same key', {
  async fault(run) {
    const { front, clock, rig } = run;
    const dials = rig.cable.acceptedAt.length;
    front.treat = ({ path }) => (path === '/edge/message' ? silence : passes);
    await clock.run(RATE);
    const guid = run.write();
    await waitFor('the POST', () => front.postsOf(guid).length > 0);
    front.standAside();
    await sleeps(run);
    await wakes(run, dials);
  },
});

faultTest('T2 sends a bubble once that Messages was being told of when it fell asleep', {
  rig: { config: { sending: { settle_seconds: 60 } } },
  async fault(run) {
    const { clock, rig } = run;
    const { messages } = rig.mac;
    const [dials, mark] = [rig.cable.acceptedAt.length, run.mark];
    const [asked, out] = [messages.requests.length, messages.effects.length];
    const awake = Promise.withResolvers<void>();
    messages.behave({ beforeEffect: () => awake.promise });
    run.write();
    await waitFor('the script', () => messages.requests.length > asked);
    await clock.run(RATE);
    await sleeps(run);
    await clock.run(1);
    await run.logged('osascript was ended by time-out', mark); // its time was over in the sleep
    await wakes(run, dials);
    expect(messages.effects.length).toBe(out);
    awake.resolve(); // Messages had been told, and does it when it wakes
  },
});

faultTest('T2 tries at once after a sleep that it fell into while it waited to retry', {
  async fault(run) {
    const { clock, rig } = run;
    const { counters } = rig.cable;
    rig.cable.cut();
    rig.httpCable.cut();
    const guid = run.write();
    await run.read();
    await clock.pass(OUTAGE_MS);
    const known = counters.turnedAway;
    // The next one is a minute from the last: far beyond this sleep and the tick after it.
    await run.passUntil('a dial', () => counters.turnedAway > known, { stepMs: 2_500, mostMs: 80_000 });
    const dials = rig.cable.acceptedAt.length;
    rig.cable.mend();
    rig.httpCable.mend();
    await clock.sleep(NAP_MS);
    await clock.pass(TICK_MS);
    await run.logged('Awake after');
    await waitFor('the POST', () => run.front.postsOf(guid).length > 0);
    await wakes(run, dials);
  },
});
