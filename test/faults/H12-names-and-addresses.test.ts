import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { swallowing } from '../backend/network/swallowing.ts';
import { tempDir } from '../support/tempDir.ts';
import { DoorRig } from './DoorRig.ts';

const HOST = 'backend.invalid';

/** A system whose agent resolves HOST to what it is told. */
async function startWith(found: string | string[]) {
  const file = join(tempDir(), 'names.json');
  const resolves = (to: string | string[]) => writeFileSync(file, JSON.stringify({ [HOST]: to }));
  resolves(found);
  const names = pathToFileURL(join(import.meta.dirname, 'harness/names.mjs'));
  names.searchParams.set('file', file);
  const system = await DoorRig.start({
    agent: false,
    host: HOST,
    nodeArgs: ['--import', names.href],
    config: { backend: { allow_insecure: true } },
  });
  return { system, resolves };
}

it.each(['ENOTFOUND', 'EAI_AGAIN'])(
  'H12 waits longer and longer while its name ends with %s, and goes on once it is found',
  async (code) => {
    const { system, resolves } = await startWith(code);
    const { rig, clock } = system;
    await system.startAgent({ withSocket: false });
    system.write('waits for a name');
    await rig.agent.ready(({ conditions }) => conditions.some((one) => one.code === 'EDGE_BACKEND_DNS'));
    await system.read();
    await clock.pass(5 * 60_000);
    const dials = rig.agent.log.split('WebSocket error: ').length - 1;
    expect(dials).toBeGreaterThan(5);
    expect(dials).toBeLessThan(14);
    resolves(['127.0.0.1']);
    await system.passUntil('another try', () => system.taken.size > 0, { stepMs: 5_000, mostMs: 400_000 });
    await system.settled();
  },
);

it('H12 gets through by IPv4 where IPv6 swallows everything', async () => {
  const { system } = await startWith(['::1', '127.0.0.1']);
  const { rig, door } = system;
  await swallowing('::1', rig.httpCable.port);
  await swallowing('::1', rig.cable.port);
  await system.startAgent();
  const before = performance.now();
  system.write('by the other way');
  await system.settled();
  expect(door.messages).toHaveLength(1);
  expect(door.messages[0]!.at - before).toBeLessThan(5_000);
  expect(rig.agent.log).not.toMatch(/WebSocket error|tried again|sync failed/);
});
