import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { swallowing } from '../backend/network/swallowing.ts';
import type { FaultRun, RigShape } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const HOST = 'backend.invalid';
/** The address is that of another machine, as far as the agent can see. */
const INSECURE = ['EDGE_BACKEND_INSECURE'];

/** A rig whose agent resolves HOST to what `resolves` last said. */
function namedRig(dir: string): RigShape {
  const names = pathToFileURL(join(import.meta.dirname, 'harness/names.mjs'));
  names.searchParams.set('file', join(dir, 'rig/names.json'));
  return { host: HOST, nodeArgs: ['--import', names.href], config: { backend: { allow_insecure: true } } };
}

function resolves({ rig }: FaultRun, to: string | string[]): void {
  writeFileSync(rig.path('names.json'), JSON.stringify({ [HOST]: to }));
}

for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
  faultTest(`H12 waits longer and longer while its name ends with ${code}, and goes on once it is found`, {
    startsAgent: false,
    rig: namedRig,
    conditions: INSECURE,
    setup: (run) => resolves(run, code),
    async fault(run) {
      const { rig, clock, ledger } = run;
      await rig.startAgent({ withSocket: false });
      run.write();
      await rig.agent.ready(({ conditions }) => conditions.some((one) => one.code === 'EDGE_BACKEND_DNS'));
      await run.read();
      await clock.pass(5 * 60_000);
      const dials = rig.agent.log.split('WebSocket error: ').length - 1;
      expect(dials).toBeGreaterThan(5);
      expect(dials).toBeLessThan(14);
      resolves(run, ['127.0.0.1']);
      await run.passUntil('another try', () => ledger.accepted.size > 0, { stepMs: 5_000, mostMs: 400_000 });
      await run.redial();
    },
  });
}

faultTest('H12 gets through by IPv4 where IPv6 swallows everything', {
  startsAgent: false,
  rig: namedRig,
  conditions: INSECURE,
  setup: (run) => resolves(run, ['::1', '127.0.0.1']),
  async fault(run) {
    const { rig, front } = run;
    await swallowing('::1', rig.httpCable.port);
    await swallowing('::1', rig.cable.port);
    await rig.startAgent();
    const before = performance.now();
    const guid = run.write();
    await run.quiet(15_000);
    expect(front.postsOf(guid)).toHaveLength(1);
    expect(front.postsOf(guid)[0]!.at - before).toBeLessThan(5_000);
    expect(rig.agent.log).not.toMatch(/WebSocket error|tried again|sync failed/);
  },
});
