import { it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { DoorRig } from './DoorRig.ts';
import { passes, silence, type Treatment } from './HttpDoor.ts';

/** As long for the agent as a minute: a gap in its ticks of 5 s. */
const RATE = 20;
const ASLEEP_MS = 3_000;

async function sleeps(system: DoorRig): Promise<void> {
  const { pid } = system.agent;
  process.kill(pid!, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, ASLEEP_MS));
  process.kill(pid!, 'SIGCONT');
}

/** After it woke: the socket is another one, what came meanwhile is there, once. */
async function wakesWell(system: DoorRig): Promise<void> {
  const { rig } = system;
  await waitFor('the wake to be noticed', () => rig.agent.log.includes('Awake after'));
  await waitFor('another socket', () => rig.cable.acceptedAt.length > 1);
  await rig.agent.ready(({ websocket }) => websocket.up);
  await system.clock.run(1);
  await system.settled();
}

it('T2 replaces its socket after a sleep and catches up', async () => {
  const system = await DoorRig.start();
  await system.clock.run(RATE);
  const asleep = sleeps(system);
  system.write('while it slept');
  await asleep;
  await wakesWell(system);
});

it('T2 posts again what was on its way when it fell asleep, under the same key', async () => {
  const system = await DoorRig.start();
  const { door, clock } = system;
  let fate: Treatment = silence;
  door.treat = ({ path }) => (path === '/edge/message' ? fate : passes);
  await clock.run(RATE);
  system.write('on its way');
  await waitFor('the POST', () => door.messages.length > 0);
  fate = passes;
  await sleeps(system);
  await wakesWell(system);
});

it('T2 sends a bubble once that Messages was being told of when it fell asleep', async () => {
  const system = await DoorRig.start({ config: { sending: { settle_seconds: 60 } } });
  const { clock, rig } = system;
  system.write('answered in its sleep');
  await waitFor('the script', () => rig.agent.log.includes('started'));
  await clock.run(RATE);
  await sleeps(system);
  await wakesWell(system);
});

it('T2 tries at once after a sleep that it fell into while it waited to retry', async () => {
  const system = await DoorRig.start();
  const { clock, rig } = system;
  await clock.run(RATE);
  rig.cable.cut();
  rig.httpCable.cut();
  system.write('waits');
  const known = rig.httpCable.counters.turnedAway;
  await waitFor('a few failures', () => rig.httpCable.counters.turnedAway > known + 6);
  await sleeps(system);
  rig.cable.mend();
  rig.httpCable.mend();
  await wakesWell(system);
});
