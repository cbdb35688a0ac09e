import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BOB, DoorRig } from './DoorRig.ts';
import { passes, says, takenThen } from './HttpDoor.ts';

it('H8 takes 409 for the news that the backend has the message, and goes on', async () => {
  const system = await DoorRig.start({ socket: false });
  const { door, rig } = system;
  door.treat = ({ path, body }) =>
    path === '/edge/message' && body.includes('known') ? takenThen(says(409, '{"error":"duplicate"}')) : passes;
  system.write('known');
  system.write('next');
  system.write('known too', BOB);
  await waitFor('all', () => system.taken.size === 3);
  const { queues } = await rig.agent.ready(
    ({ queues }) => (queues as { inbound_pending: number }).inbound_pending === 0,
  );
  expect(queues).toMatchObject({ dead_letters: 0, sends_failed: 0 });
  expect(door.messages.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  await waitFor('the answer to the one that was not known', () => rig.bubblesTo(ANN).length > 0);
  expect([rig.bubblesTo(ANN), rig.bubblesTo(BOB)]).toEqual([['re said: next'], []]);
});
