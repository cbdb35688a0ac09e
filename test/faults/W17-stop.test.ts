import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Rig } from '../../scripts/rig/Rig.ts';
import { waitFor } from '../support/waitFor.ts';
import type { FaultRun, RigShape } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { passes, says } from './harness/treatments.ts';

const STOPS_WITHIN_MS = 2000;

/** What becomes of the agent: it ends in order, leaves nothing uncaught, and starts again as if nothing had been. */
async function stopped(run: FaultRun, { wasUp = true } = {}): Promise<void> {
  const { agent, cable } = run.rig;
  const before = performance.now();
  expect(await agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  const tookMs = Math.round(performance.now() - before);
  expect(tookMs).toBeLessThan(STOPS_WITHIN_MS * settings.patience);
  run.note = `gone after ${tookMs} ms`;
  expect(agent.stderr).toBe('');
  if (wasUp) expect(agent.log).toMatch(/\[INFO\] stopped\n$/);
  cable.mend();
  run.front.standAside();
}

faultTest('W17 stops in order while it dials', {
  async fault(run) {
    const { rig } = run;
    const known = rig.cable.counters.turnedAway;
    rig.cable.door = 'silent';
    rig.cable.reset();
    await waitFor('the dial', () => rig.cable.counters.turnedAway > known);
    await stopped(run);
    await rig.startAgent();
  },
});

faultTest('W17 stops in order while it waits to dial again', {
  async fault(run) {
    run.rig.cable.cut();
    await run.down();
    await stopped(run);
    await run.rig.startAgent();
  },
});

faultTest('W17 stops in order on a connection whose other end never says goodbye', {
  async fault(run) {
    run.rig.cable.blackHole('open');
    await stopped(run);
    await run.rig.startAgent();
  },
});

/** `security` prints the secret, or, while there is a file `locked`, waits for a person who does not come. */
const KEYCHAIN = `#!/bin/sh
here=$(dirname "$0")
echo asked >> "$here/asked"
[ -e "$here/locked" ] && exec sleep 20
exec cat "$here/secret"
`;

/** An agent whose secret is in the Keychain, in whose place `bin` stands. */
function keychainRig(dir: string): RigShape {
  const env = { EDGE_SECRET: '', PATH: `${join(dir, 'rig/bin')}:${process.env.PATH}` };
  return { env, config: { edge: { secret_keychain_service: 'edge-agent' } } };
}

function installKeychain({ rig }: FaultRun): void {
  mkdirSync(rig.path('bin'));
  writeFileSync(rig.path('bin/security'), KEYCHAIN, { mode: 0o755 });
  writeFileSync(rig.path('bin/secret'), rig.secret);
}

/** Nobody unlocks the Keychain any more; returns how often it was asked before. */
function lock({ rig }: FaultRun): number {
  writeFileSync(rig.path('bin/locked'), '');
  return timesAsked(rig);
}

function timesAsked(rig: Rig): number {
  return existsSync(rig.path('bin/asked')) ? readFileSync(rig.path('bin/asked'), 'utf8').split('\n').length - 1 : 0;
}

faultTest('W17 stops in order while it starts and the Keychain is asked for its secret', {
  startsAgent: false,
  rig: keychainRig,
  setup: installKeychain,
  async fault(run) {
    const { rig } = run;
    lock(run);
    rig.agent.start();
    await waitFor('the question', () => timesAsked(rig) > 0);
    await stopped(run, { wasUp: false });
    rmSync(rig.path('bin/locked'));
    await rig.startAgent();
    await run.both();
  },
});

faultTest('W17 stops in order while the Keychain is asked again, after the backend refused the secret', {
  rig: keychainRig,
  setup: installKeychain,
  async fault(run) {
    const { rig, front, ledger } = run;
    const known = lock(run);
    front.treat = ({ path }) => (path === '/edge/message' ? says(401) : passes);
    const guid = run.write();
    await waitFor('the question', () => timesAsked(rig) > known);
    await stopped(run);
    rmSync(rig.path('bin/locked'));
    await rig.startAgent();
    // Its turn comes a minute after the refusal, restart or not.
    await run.passUntil('the retry', () => ledger.accepted.has(guid), { stepMs: 10_000, mostMs: 120_000 });
  },
});
