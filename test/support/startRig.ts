import { onTestFinished } from 'vitest';
import { Rig, type RigOptions } from '../../scripts/rig/Rig.ts';
import { tempDir } from './tempDir.ts';

/** A rig of the test's own, closed when the test is over. The agent runs unless told otherwise. */
export async function startRig(options: Omit<RigOptions, 'dir'> & { agent?: false } = {}): Promise<Rig> {
  const { agent, ...rest } = options;
  const rig = await Rig.create({ dir: tempDir(), ...rest });
  onTestFinished(() => rig.close());
  if (agent !== false) await rig.startAgent();
  return rig;
}
