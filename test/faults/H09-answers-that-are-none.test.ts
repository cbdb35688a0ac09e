import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { DoorRig } from './DoorRig.ts';
import { brokenOff, endless, gzipBomb, passes, says, type Treatment, truncated } from './HttpDoor.ts';

const HTML = '<!doctype html><title>Sign in</title>';
const MIB = 1024 * 1024;

it('H9 reads 1 MiB of an answer at most, takes none that cannot be used, and asks again', async () => {
  const system = await DoorRig.start({ socket: false });
  const { door, rig } = system;
  let written = 0;
  const answers: Treatment[] = [
    says(200, HTML, { 'content-type': 'text/html' }),
    says(200, ''),
    says(200, '[]'),
    truncated,
    brokenOff,
    gzipBomb,
    endless(100 * MIB, (bytes) => {
      written = bytes;
    }),
  ];
  const tried = new Set<string | undefined>();
  door.treat = ({ path, key, body }) => {
    if (path !== '/edge/message' || tried.has(key)) return passes;
    tried.add(key);
    return answers[Number(/answer (\d+)/.exec(body)![1])]!;
  };
  answers.forEach((_, n) => void system.write(`answer ${n}`, `+1555010000${n + 2}`));
  await waitFor('each to be asked for again', () => system.taken.size === answers.length);
  // What the kernel takes beside it: its buffers on both sides of two connections.
  expect(written).toBeGreaterThanOrEqual(MIB);
  expect(written).toBeLessThan(24 * MIB);
  expect(rig.agent.log).toContain('EDGE_BACKEND_ANSWER');
  expect(rig.agent.log).not.toContain('Sign in');
  await system.settled();
});
