import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { MAX_BODY_BYTES } from '../../src/protocol/wire.ts';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says } from './harness/treatments.ts';

/** One may be a slip; the second in a row is not. */
const TIMES = 2;

faultTest('W6 takes a command by HTTP that is too large for the socket, and the socket lives again', {
  async fault(run) {
    const { front, rig } = run;
    const id = randomBytes(8).toString('hex');
    // Too large is what surrounds the command: no text of that size is sent.
    const padding = 'x'.repeat(MAX_BODY_BYTES);
    let isTaken = false;
    let large = 0;
    const poison = { command_id: id, command_type: 'list_scheduled', payload: { padding } };
    front.upgrade = () => ({
      joined: (agent) => {
        if (isTaken) return;
        large++;
        agent.send(JSON.stringify({ type: 'command', data: poison }));
      },
    });
    front.treat = ({ path }) =>
      path === '/edge/sync' && !isTaken && large >= TIMES
        ? says(200, JSON.stringify({ commands: [poison], ack_events: [] }))
        : passes;
    const mark = run.mark;
    rig.cable.reset();
    await run.clock.run(20);
    await run.logged('EDGE_BACKEND_TOO_LARGE', mark, 20_000);
    await run.clock.run(1);
    await run.logged(`✅ Command ${id} executed successfully`, mark, 20_000);
    isTaken = true;
    expect(large).toBe(TIMES); // the next dial is a minute away
    await run.redial();
    await run.lasts();
    await waitFor('the condition to be over', async () => (await rig.agent.status()).conditions.length === 0);
    await run.both();
  },
});
