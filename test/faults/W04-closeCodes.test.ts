import { expect } from 'vitest';
import type { WebSocket } from 'ws';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';

/** The close codes that a peer can send, and two that say how it went without one. Each other finds a fresh count. */
const CODES = [1012, 1000, 1001, 1003, 1013, 1005, 1006, 4001, 1008, 1011, 3000, 3500, 4409, 4999];
/** So many endings in a row; then a connection lasts, and the count begins anew. */
const IN_A_ROW = 2;
const SLOW = 4001;
/** The second wait of the back-off, its quarter on top; those of 1012 and 1013 are shorter. On the agent's clock. */
const SOON_MS = 2500;
/** 60 s, and up to a quarter on top, less what passes unseen before this begins to count. */
const SLOW_MS = [55_000, 80_000] as const;
/** For a dial that was made to arrive: nothing to the agent's 60 s, to which its clock does not leap meanwhile. */
const ARRIVAL_MS = 2000 * settings.patience;

faultTest('W4 comes back after each close code: within 2.5 s, and in a minute when it is refused', {
  rig: { config: { backend: { sync_interval_seconds: 60 } } },
  async fault(run) {
    const { rig, clock, front } = run;
    let agentEnd: WebSocket | undefined;
    front.upgrade = () => ({
      joined: (agent) => {
        agentEnd = agent;
      },
    });
    rig.cable.reset();
    await run.redial(async () => agentEnd !== undefined && (await run.isUp()));
    await run.lasts();
    for (const code of CODES) {
      const [mark, dials] = [run.mark, front.handshakes.length];
      if (code === 1006) agentEnd!.terminate();
      else if (code === 1005) agentEnd!.close();
      else agentEnd!.close(code, 'as told');
      await run.logged(
        `[WARN] WebSocket closed: code=${code}, reason=${code < 1005 || code > 1006 ? 'as told' : 'Unknown'}`,
        mark,
      );
      const isDialled = () => front.handshakes.length > dials;
      if (code === SLOW) {
        await clock.pass(SLOW_MS[0]);
        expect(isDialled()).toBe(false);
        await run.passUntil('a dial', isDialled, { stepMs: SOON_MS, mostMs: SLOW_MS[1] - SLOW_MS[0] });
      } else {
        await clock.pass(SOON_MS);
        await waitFor(`a dial after ${code}`, isDialled, ARRIVAL_MS);
      }
      await run.redial();
      if (CODES.indexOf(code) % IN_A_ROW === IN_A_ROW - 1) await run.lasts();
    }
    await run.both();
  },
});
