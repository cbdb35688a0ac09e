import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { BOB, CAROL, DoorRig } from './DoorRig.ts';
import { passes, says } from './HttpDoor.ts';

const DAY_MS = 24 * 3600_000;

it.each([
  ['back by a day', [-DAY_MS]],
  ['on by a year', [365 * DAY_MS]],
  ['back by a second, five times', [-1000, -1000, -1000, -1000, -1000]],
])('T1 neither stalls nor storms when the wall clock is set %s', async (_, steps) => {
  const system = await DoorRig.start();
  const { door, rig, clock } = system;
  const tried = new Set<string | undefined>();
  door.treat = ({ path, key }) => {
    if (path !== '/edge/message' || tried.has(key)) return passes;
    tried.add(key);
    return says(503, '{}', { 'retry-after': '2' });
  };
  system.write('waits through the step');
  await waitFor('the first attempt', () => door.messages.length === 1);
  const before = performance.now();
  for (const step of steps) clock.jumpWall(step);
  await waitFor('the retry', () => system.taken.size === 1);
  expect(performance.now() - before).toBeGreaterThan(1_000);
  expect(performance.now() - before).toBeLessThan(8_000);
  system.write('after the step', BOB);
  system.write('after that', CAROL);
  await system.settled();
  expect(door.messages).toHaveLength(6);
  const id = await rig.command('send_message_now', { thread_id: '+15550100005', text: 'ordered after the step' });
  await waitFor('the command', async () => (await rig.commandState(id)).state === 'completed');
});
