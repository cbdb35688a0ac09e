import { expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, DoorRig } from './DoorRig.ts';

const APPLE_EPOCH_MS = Date.UTC(2001, 0, 1);

it('T4 reads dates in seconds and in nanoseconds, does without those that are none, and orders by ROWID', async () => {
  const system = await DoorRig.start({ socket: false });
  const { door } = system;
  const now = Date.now();
  const ns = BigInt(now - APPLE_EPOCH_MS) * 1_000_000n;
  const dates: [what: string, date: bigint | null][] = [
    ['nanoseconds', ns],
    ['seconds', BigInt(Math.floor((now - APPLE_EPOCH_MS) / 1000))],
    ['none', 0n],
    ['negative', -5n],
    ['far off', 2n ** 62n],
    ['a minute before the others', ns - 60_000_000_000n],
    ['nanoseconds again', ns + 1n],
  ];
  dates.forEach(([what, date]) => void system.write(what, ANN, { columns: { date } }));
  await waitFor('all', () => system.taken.size === dates.length);
  expect([...system.taken.keys()]).toEqual(system.written.map(({ guid }) => guid));
  const posted = door.messages.map(({ body }) => JSON.parse(body) as { original_timestamp: string });
  for (const { original_timestamp } of posted) {
    const at = Date.parse(original_timestamp);
    expect(Math.abs(at - now), original_timestamp).toBeLessThan(120_000);
  }
});
