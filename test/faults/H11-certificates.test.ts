import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { authority, pinOf, selfSigned } from '../support/certificates.ts';
import { tempDir } from '../support/tempDir.ts';
import { DoorRig } from './DoorRig.ts';

const HERE = 'IP:127.0.0.1';
const own = () => authority();

/** A backend that shows `bad`, and an agent that trusts `ca` beside what Node trusts. */
async function startWith(bad: { key: string; cert: string }, ca: string, more: Record<string, unknown> = {}) {
  const caFile = join(tempDir(), 'ca.pem');
  writeFileSync(caFile, ca);
  const system = await DoorRig.start({ agent: false, tls: bad, config: { backend: { ca_file: caFile, ...more } } });
  await system.startAgent({ withSocket: false });
  system.write('only to the right one');
  await system.read();
  return { system, caFile };
}

async function stands(system: DoorRig, code: string): Promise<void> {
  await system.agent.ready(({ conditions }) => conditions.some((one) => one.code === code));
  expect(system.door.knocks).toEqual([]);
}

async function heals(system: DoorRig): Promise<void> {
  await system.passUntil('another try', () => system.taken.size > 0, { stepMs: 5_000, mostMs: 180_000 });
  await system.passUntil('the socket', () => system.rig.agent.log.includes('WebSocket connected'), {
    stepMs: 5_000,
    mostMs: 180_000,
  });
  await system.settled();
  await system.agent.ready(({ conditions }) => conditions.length === 0);
}

it.each([
  ['that has expired', 'EDGE_TLS_EXPIRED', (ca: ReturnType<typeof own>) => ca.issue(HERE, [-3, -1])],
  ['that signs itself', 'EDGE_TLS_UNTRUSTED', () => selfSigned(HERE)],
  ['for another host', 'EDGE_TLS_HOST', (ca: ReturnType<typeof own>) => ca.issue('DNS:other.invalid')],
  ['of an authority it does not know', 'EDGE_TLS_UNTRUSTED', () => own().issue(HERE)],
])(
  'H11 tells a backend nothing that shows a certificate %s, and speaks to it when it shows a valid one',
  async (_, code, bad) => {
    const ca = own();
    const { system } = await startWith(bad(ca), ca.cert);
    await stands(system, code);
    const good = ca.issue(HERE);
    for (const cable of [system.rig.cable, system.rig.httpCable]) cable.tls = good;
    await heals(system);
  },
);

it('H11 trusts another authority as soon as the CA file has it', async () => {
  const ca = own();
  const { system, caFile } = await startWith(ca.issue(HERE), own().cert);
  await stands(system, 'EDGE_TLS_UNTRUSTED');
  writeFileSync(caFile, ca.cert);
  await heals(system);
});

it('H11 is loud about a key that is not the pinned one, and asks it once a minute', async () => {
  const ca = own();
  const good = ca.issue(HERE);
  const { system } = await startWith(ca.issue(HERE), ca.cert, {
    pin_sha256: [pinOf(good)],
    sync_interval_seconds: 3600,
  });
  await stands(system, 'EDGE_TLS_PIN');
  const { rig, clock } = system;
  await clock.pass(60_000);
  const before = rig.cable.counters.accepted;
  await clock.pass(10 * 60_000);
  expect(rig.cable.counters.accepted - before).toBeGreaterThanOrEqual(8);
  expect(rig.cable.counters.accepted - before).toBeLessThanOrEqual(11);
  expect(rig.agent.log).toMatch(/\[ERROR\].*EDGE_TLS_PIN/);
  for (const cable of [rig.cable, rig.httpCable]) cable.tls = good;
  await heals(system);
});
