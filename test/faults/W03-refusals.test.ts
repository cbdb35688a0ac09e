import { expect } from 'vitest';
import { faultTest } from './harness/faultTest.ts';

const FIVE_MINUTES_MS = 300_000;
/** By back-off: 1, 2, 4, 8, 16, 32 s, then each minute, all with up to 25 % on top. */
const BY_BACKOFF = [7, 10];
const EACH_MINUTE = [4, 6];
const REFUSALS: readonly { status: number; headers?: Record<string, string>; explained?: string; dials: number[] }[] = [
  { status: 401, explained: 'Authorization: Bearer [secret]', dials: EACH_MINUTE },
  { status: 403, explained: 'Authorization: Bearer [secret]', dials: EACH_MINUTE },
  { status: 404, explained: 'Authorization: Bearer [secret]', dials: EACH_MINUTE },
  { status: 410, explained: 'Authorization: Bearer [secret]', dials: EACH_MINUTE },
  { status: 426, explained: 'Authorization: Bearer [secret]', dials: EACH_MINUTE },
  { status: 429, headers: { 'retry-after': '100' }, dials: [2, 4] },
  { status: 503, headers: { 'retry-after': '100' }, dials: [2, 4] },
  { status: 503, dials: BY_BACKOFF },
];

faultTest('W3 sees each refusal of the handshake as what it is, and comes back neither too soon nor never', {
  rig: { config: { backend: { sync_interval_seconds: 60 } } },
  async fault(run) {
    const { rig, clock, front } = run;
    for (const { status, headers, explained, dials } of REFUSALS) {
      const [mark, known] = [run.mark, front.handshakes.length];
      front.upgrade = () => ({ status, ...(headers && { headers }), body: `the reason of ${status}` });
      rig.cable.reset();
      await run.down();
      await clock.pass(FIVE_MINUTES_MS);
      await run.logged(`WebSocket error: ["Unexpected server response: ${status}"]`, mark);
      if (explained) for (const text of [explained, `the reason of ${status}`]) await run.logged(text, mark);
      const [least, most] = dials;
      const dialed = front.handshakes.length - known;
      expect([status, dialed >= least! && dialed <= most!, dialed]).toEqual([status, true, dialed]);
      front.standAside();
      await run.redial();
      if (dials !== BY_BACKOFF) await run.lasts();
    }
    await run.both();
  },
});
