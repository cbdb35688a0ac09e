import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installStandIns, type StandInOptions } from '../../src/simulator/standIns/installStandIns.ts';
import { tempDir } from '../support/tempDir.ts';
import { run } from './simulatedMac.ts';

/** Stand-ins in folders whose names need quoting. */
export function standInsInstalled(options: StandInOptions = { macos: 15 }) {
  const [bin, state] = [join(tempDir(), "it's bin"), join(tempDir(), "it's state")];
  installStandIns(bin, state, options);
  const plist = join(tempDir(), 'agent.plist');
  return {
    bin,
    state,
    plist,
    write: (text: string) => writeFileSync(plist, text),
    call: (name: string, args: readonly string[], input = '') => run(join(bin, name), args, { input }),
  };
}
