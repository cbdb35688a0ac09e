import { expect } from 'vitest';
import { faultTest } from './harness/faultTest.ts';

/** The close codes that a peer can send, and two that say how it went without one. Each other finds a fresh count. */
const CODES = [1012, 1000, 1001, 1003, 1013, 1005, 1006, 4001, 1008, 1011, 3000, 3500, 4409, 4999];
/** So many endings in a row; then a connection lasts, and the count begins anew. */
const IN_A_ROW = 2;
const SOON = [1012, 1013];
const SLOW = [4001];

faultTest('W4 comes back after each close code: soon after a restart, in a minute when it is refused', {
  rig: { config: { backend: { sync_interval_seconds: 60 } } },
  async fault(run) {
    const { rig, clock, front } = run;
    let code = CODES[0]!;
    let wasClosed = false;
    front.upgrade = () => {
      if (wasClosed) return undefined;
      wasClosed = true;
      return {
        take: (socket) =>
          code === 1006 ? socket.terminate() : code === 1005 ? socket.close() : socket.close(code, 'as told'),
      };
    };
    for (code of CODES) {
      const mark = run.mark;
      wasClosed = false;
      rig.cable.reset();
      await run.redial(() => run.logSince(mark).includes(`[WARN] WebSocket closed: code=${code}`));
      await run.logged(
        `[WARN] WebSocket closed: code=${code}, reason=${code < 1005 || code > 1006 ? 'as told' : 'Unknown'}`,
        mark,
      );
      const dials = front.handshakes.length;
      if (SOON.includes(code)) await clock.pass(2500);
      if (SLOW.includes(code)) {
        await clock.pass(55_000);
        expect([code, front.handshakes.length]).toEqual([code, dials]);
      }
      await run.redial();
      if (SOON.includes(code)) expect(front.handshakes.length).toBeGreaterThan(dials);
      if (CODES.indexOf(code) % IN_A_ROW === IN_A_ROW - 1) await run.lasts();
    }
    await run.both();
  },
});
