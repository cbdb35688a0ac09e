import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { DoorRig } from './DoorRig.ts';
import { passes, says } from './HttpDoor.ts';
import { retryAll } from './harness/retryAll.ts';

const PEOPLE = Array.from({ length: 10 }, (_, n) => `+155501000${String(n + 10)}`);

it.each([400, 413, 422])(
  'H6 sets the one message of 100 aside that is answered %i, passes the others, and sends it again when told',
  async (status) => {
    const system = await DoorRig.start({ socket: false });
    const { door, rig } = system;
    door.treat = ({ path, body }) =>
      path === '/edge/message' && body.includes('number 50') ? says(status, '{"error":"no such field"}') : passes;
    for (let n = 0; n < 100; n++) system.write(`number ${n}`, PEOPLE[n % PEOPLE.length]);
    await waitFor('the other 99', () => system.taken.size === 99, 20_000);
    const { guid } = system.written[50]!;
    const said = await rig.agent.ready(({ queues }) => (queues as { dead_letters: number }).dead_letters === 1);
    expect(said.dead_letters).toMatchObject([{ guid, detail: expect.stringContaining(`answered ${status}`) }]);
    expect(JSON.stringify(said.dead_letters)).toContain('no such field');
    expect(door.messages.filter(({ key }) => key === guid)).toHaveLength(1);
    door.treat = () => passes;
    expect(await retryAll(rig)).toEqual({ retried: 1 });
    await waitFor('the last', () => system.taken.has(guid));
    await waitFor('its answer', () => rig.mac.messages.effects.length === 100, 20_000);
  },
);
