import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { authority, type KeyPair, pinOf, selfSigned } from '../support/certificates.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { type FaultCase, faultTest } from './harness/faultTest.ts';

const HERE = 'IP:127.0.0.1';
const MINUTE_MS = 60_000;
type Authority = ReturnType<typeof authority>;

/** An agent that trusts `ca.pem` beside what Node trusts, and a backend whose certificate is shown in `fault`. */
const SECURED: Pick<FaultCase, 'startsAgent' | 'rig'> = {
  startsAgent: false,
  rig: { tls: {}, config: { backend: { ca_file: 'ca.pem' } } },
};

function shows({ rig }: FaultRun, pair: KeyPair): void {
  for (const cable of [rig.cable, rig.httpCable]) cable.tls = pair;
}

function trusts({ rig }: FaultRun, { cert }: Pick<KeyPair, 'cert'>): void {
  writeFileSync(rig.path('ca.pem'), cert);
}

/** Starts the agent, and waits until it says what is wrong and has told the backend nothing. */
async function refused(run: FaultRun, code: string): Promise<void> {
  await run.rig.startAgent({ withSocket: false });
  run.write();
  await run.read();
  await run.rig.agent.ready(({ conditions }) => conditions.some((one) => one.code === code));
  expect(run.front.knocks).toEqual([]);
  expect(run.front.handshakes).toEqual([]);
}

async function heals(run: FaultRun): Promise<void> {
  const steps = { stepMs: 5_000, mostMs: 3 * MINUTE_MS };
  await run.passUntil('another try', () => run.ledger.accepted.size > 0, steps);
  await run.passUntil('the socket', () => run.rig.agent.log.includes('WebSocket connected'), steps);
}

const BAD: [what: string, code: string, issue: (ca: Authority) => KeyPair][] = [
  ['that has expired', 'EDGE_TLS_EXPIRED', (ca) => ca.issue(HERE, [-3, -1])],
  ['that signs itself', 'EDGE_TLS_UNTRUSTED', () => selfSigned(HERE)],
  ['for another host', 'EDGE_TLS_HOST', (ca) => ca.issue('DNS:other.invalid')],
  ['of an authority it does not know', 'EDGE_TLS_UNTRUSTED', () => authority().issue(HERE)],
];

for (const [what, code, issue] of BAD) {
  faultTest(
    `H11 tells a backend nothing that shows a certificate ${what}, and speaks to it when it shows a valid one`,
    {
      ...SECURED,
      async fault(run) {
        const ca = authority();
        trusts(run, ca);
        shows(run, issue(ca));
        await refused(run, code);
        shows(run, ca.issue(HERE));
        await heals(run);
      },
    },
  );
}

faultTest('H11 trusts another authority as soon as the CA file has it', {
  ...SECURED,
  async fault(run) {
    const ca = authority();
    trusts(run, authority());
    shows(run, ca.issue(HERE));
    await refused(run, 'EDGE_TLS_UNTRUSTED');
    trusts(run, ca);
    await heals(run);
  },
});

let pinned: { ca: Authority; pair: KeyPair };
faultTest('H11 is loud about a key that is not the pinned one, and asks it once a minute', {
  startsAgent: false,
  rig() {
    const ca = authority();
    pinned = { ca, pair: ca.issue(HERE) };
    const backend = { ca_file: 'ca.pem', pin_sha256: [pinOf(pinned.pair)], sync_interval_seconds: 3600 };
    return { tls: {}, config: { backend } };
  },
  async fault(run) {
    const { rig, clock } = run;
    trusts(run, pinned.ca);
    shows(run, pinned.ca.issue(HERE));
    await refused(run, 'EDGE_TLS_PIN');
    await clock.pass(MINUTE_MS);
    const before = rig.cable.counters.accepted;
    await clock.pass(10 * MINUTE_MS);
    expect(rig.cable.counters.accepted - before).toBeGreaterThanOrEqual(8);
    expect(rig.cable.counters.accepted - before).toBeLessThanOrEqual(11);
    expect(rig.agent.log).toMatch(/\[ERROR\].*EDGE_TLS_PIN/);
    shows(run, pinned.pair);
    await heals(run);
  },
});
