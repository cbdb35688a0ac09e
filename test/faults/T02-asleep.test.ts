import { waitFor } from '../support/waitFor.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, silence } from './harness/treatments.ts';

/** As long for the agent as a minute: a gap in its ticks of 5 s. */
const RATE = 20;
const ASLEEP_MS = 3_000;

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
    const [dials, mark] = [rig.cable.acceptedAt.length, run.mark];
    run.write();
    await run.logged('started', mark);
    await clock.run(RATE);
    await sleeps(run);
    await wakes(run, dials);
  },
});

faultTest('T2 tries at once after a sleep that it fell into while it waited to retry', {
  async fault(run) {
    const { clock, rig } = run;
    await clock.run(RATE);
    rig.cable.cut();
    rig.httpCable.cut();
    run.write();
    const known = rig.httpCable.counters.turnedAway;
    await waitFor('a few failures', () => rig.httpCable.counters.turnedAway > known + 6);
    const dials = rig.cable.acceptedAt.length;
    await sleeps(run);
    rig.cable.mend();
    rig.httpCable.mend();
    await wakes(run, dials);
  },
});
