import { expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { DoorRig } from './DoorRig.ts';
import { HttpDoor, passes, says } from './HttpDoor.ts';

it.each([301, 302, 307, 308])(
  'H10 does not follow %i to another host, says so, and goes on when it is over',
  async (status) => {
    const elsewhere = await new HttpDoor(() => says(200)).start();
    onTestFinished(() => elsewhere.stop());
    const system = await DoorRig.start({ socket: false });
    const { door, rig } = system;
    door.treat = ({ path }) => says(status, '', { location: `${elsewhere.url}${path}` });
    system.write('not for them');
    await waitFor('the refusal', () => door.messages.length > 0);
    await rig.agent.ready(({ conditions }) => conditions.some(({ code }) => code === 'EDGE_BACKEND_REDIRECT'));
    door.treat = () => passes;
    await system.settled();
    await rig.agent.ready(({ conditions }) => conditions.length === 0);
    expect(elsewhere.knocks).toEqual([]);
  },
);
