import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { DoorRig } from './DoorRig.ts';
import { passes, says } from './HttpDoor.ts';

const MINUTE_MS = 60_000;

it.each([401, 403])(
  'H7 asks once a minute while it is answered %i, and takes the secret that is right by then',
  async (status) => {
    const system = await DoorRig.start({
      socket: false,
      agent: false,
      config: { edge: { secret_file: 'secret' } },
      env: { EDGE_SECRET: '' },
    });
    const { door, rig, clock } = system;
    writeFileSync(rig.path('secret'), 'an-old-secret', { mode: 0o600 });
    door.treat = ({ secret }) => (secret === rig.secret ? passes : says(status, '{"error":"Invalid token"}'));
    await system.startAgent();
    for (const n of [1, 2, 3]) system.write(`number ${n}`);
    await waitFor('the refusal', () => door.messages.length > 0);
    const { conditions } = await rig.agent.ready(({ conditions }) =>
      conditions.some(({ code }) => code === 'EDGE_BACKEND_AUTH'),
    );
    expect(conditions).toMatchObject([{ code: 'EDGE_BACKEND_AUTH', name: 'backend-auth' }]);
    await system.read();
    const before = door.messages.length;
    await clock.pass(10 * MINUTE_MS);
    expect(door.messages.length - before).toBeGreaterThanOrEqual(8);
    expect(door.messages.length - before).toBeLessThanOrEqual(11);
    expect(system.taken.size).toBe(0);
    writeFileSync(rig.path('secret'), rig.secret);
    await system.passUntil('the new secret', () => system.taken.size > 0, { stepMs: 10_000, mostMs: 2 * MINUTE_MS });
    await system.settled();
    expect((await rig.agent.ready(({ conditions }) => conditions.length === 0)).conditions).toEqual([]);
    expect(rig.agent.log).not.toContain('an-old-secret');
  },
);
