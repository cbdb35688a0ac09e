import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { AGENT_ID } from '../../scripts/rig/Rig.ts';
import { installStandIns } from '../../src/simulator/standIns/installStandIns.ts';
import { waitFor } from '../support/waitFor.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** 60 s and up to a quarter on top, and what a step overshoots. */
const MINUTE_MS = 90_000;
const WRONG = 'canary-of-a-wrong-secret';
const SERVICE = 'edge-agent';

interface Place {
  readonly name: string;
  readonly config: Record<string, Record<string, unknown>>;
  readonly env?: Record<string, string>;
  put(run: FaultRun, secret: string): void;
}

const file: Place = {
  name: 'file',
  config: { edge: { secret_file: 'secret' } },
  put: ({ rig }, secret) => writeFileSync(rig.path('secret'), secret, { mode: 0o600 }),
};

const mac = mkdtempSync(join(tmpdir(), 'edge-'));
afterAll(() => rmSync(mac, { recursive: true, force: true }));
const bin = join(mac, 'bin');
installStandIns(bin, join(mac, 'state'));

/** Behind the stand-in for macOS's `security`. */
const keychain: Place = {
  name: 'Keychain',
  // A caffeinate that runs is a child of the agent's, and the clock leaps over none.
  config: { edge: { secret_keychain_service: SERVICE }, power: { keep_awake: false } },
  env: { PATH: `${bin}:${process.env.PATH}` },
  put(_, secret) {
    const item = ['-U', '-s', SERVICE, '-a', AGENT_ID, '-w', secret];
    execFileSync(join(bin, 'security'), ['add-generic-password', ...item]);
  },
};

for (const [wsReject, when, { name, config, env, put }] of [
  ['close', 'at once with SIGHUP', file],
  ['http', 'within a minute without it', file],
  ['http', 'at once with SIGHUP', keychain],
  ['close', 'within a minute without it', keychain],
] as const) {
  faultTest(`W18 takes up a secret that was put right in its ${name} ${when}, after a refusal by ${wsReject}`, {
    startsAgent: false,
    rig: { hub: { wsReject }, env: { EDGE_SECRET: '', ...env }, config },
    setup: (run) => put(run, WRONG),
    async fault(run) {
      const { rig } = run;
      await rig.startAgent({ withSocket: false });
      await run.logged(wsReject === 'close' ? 'WebSocket closed: code=4001' : 'Unexpected server response: 403');
      run.write();
      const refused = ['/edge/message', '/edge/sync'];
      const isRefused = (one: string) => run.front.knocks.some(({ path, status }) => path === one && status === 403);
      await waitFor('both refusals', () => refused.every(isRefused));
      await run.logged('POST /edge/sync was answered 403');
      put(run, rig.secret);
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
