import { expect, it } from 'vitest';
import { ANN, BOB, DoorRig } from './DoorRig.ts';

it.each([
  ['comes byte by byte, one each 1 ms', { slice: { bytes: 1, everyMs: 1 } }],
  ['takes 1 s ± 0.5 s', { latencyMs: 500, jitterMs: 1000 }],
  ['is carried at 8 kB/s', { bytesPerSecond: 8192 }],
])('H13 passes everything where the network %s', async (_, faults) => {
  const system = await DoorRig.start({ config: { backend: { sync_interval_seconds: 30 } } });
  const { rig } = system;
  rig.httpCable.degrade(faults);
  rig.cable.degrade(faults);
  for (const from of [ANN, BOB]) system.write('slowly', from);
  await system.settled(20_000);
  for (const { guid } of system.written) expect(system.taken.get(guid)).toBe(1);
});
