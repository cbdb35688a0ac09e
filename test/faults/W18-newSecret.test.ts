import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

/** 60 s and up to a quarter on top, and what a step overshoots. */
const MINUTE_MS = 90_000;
const WRONG = 'canary-of-a-wrong-secret';

for (const [wsReject, when] of [
  ['close', 'at once with SIGHUP'],
  ['http', 'within a minute without it'],
] as const) {
  faultTest(`W18 takes up a secret that was put right in its file ${when}, after a refusal by ${wsReject}`, {
    startsAgent: false,
    rig: { hub: { wsReject }, env: { EDGE_SECRET: '' }, config: { edge: { secret_file: 'secret' } } },
    setup: ({ rig }) => writeFileSync(rig.path('secret'), WRONG, { mode: 0o600 }),
    async fault(run) {
      const { rig } = run;
      await rig.startAgent({ withSocket: false });
      await run.logged(wsReject === 'close' ? 'WebSocket closed: code=4001' : 'Unexpected server response: 403');
      run.write();
      const refused = ['/edge/message', '/edge/sync'];
      const isRefused = (one: string) => run.front.knocks.some(({ path, status }) => path === one && status === 403);
      await waitFor('both refusals', () => refused.every(isRefused));
      await run.logged('POST /edge/sync was answered 403');
      writeFileSync(rig.path('secret'), rig.secret);
      if (when.includes('at once')) process.kill(rig.agent.pid!, 'SIGHUP');
      else {
        const isBack = () => run.ledger.socketsUp > 0;
        await run.passUntil('the socket', isBack, { stepMs: 10_000, mostMs: MINUTE_MS });
      }
      await run.up(); // not a minute later
      await run.ask();
      await waitFor('the message', () => run.ledger.accepted.size === 1);
    },
    expect: ({ rig }) => expect(rig.agent.log).not.toContain(WRONG),
  });
}
