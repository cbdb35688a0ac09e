import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { DoorRig } from './DoorRig.ts';
import { passes, says } from './HttpDoor.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3600_000;

it('T3 comes back after 15 min to a backend that asks for longer than a timer can wait, and not at once', async () => {
  const system = await DoorRig.start({ socket: false });
  const { door, clock } = system;
  let isOver = false;
  door.treat = ({ path }) =>
    path === '/edge/message' && !isOver ? says(503, '{}', { 'retry-after': String(2 ** 32) }) : passes;
  system.write('waits');
  await waitFor('the refusal', () => door.messages.length === 1);
  await clock.pass(14 * MINUTE_MS);
  expect(door.messages).toHaveLength(1);
  isOver = true;
  await system.passUntil('the retry', () => system.taken.size === 1, { stepMs: MINUTE_MS, mostMs: 6 * MINUTE_MS });
  await system.settled();
});

it('T3 keeps a message for the day it is due, further off than a timer reaches, and does not send it before', async () => {
  const system = await DoorRig.start({ socket: false, config: { backend: { sync_interval_seconds: 3600 } } });
  const { rig, clock } = system;
  const sendAt = new Date(clock.now() + 30 * DAY_MS).toISOString();
  const id = await rig.command('schedule_message', {
    thread_id: '+15550100005',
    message_text: 'in a month',
    send_at: sendAt,
  });
  await system.passUntil('the command', () => rig.agent.log.includes(id), {
    stepMs: 30 * MINUTE_MS,
    mostMs: DAY_MS / 4,
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(rig.bubblesTo('+15550100005')).toEqual([]);
});
