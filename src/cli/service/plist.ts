import { resolve } from 'node:path';
import { EXIT } from '../exitCodes.ts';
import type { CommonOptions, Io } from '../Io.ts';
import { serviceConfig, wantedPlist } from './wantedPlist.ts';

export interface ServicePlistOptions extends CommonOptions {
  readonly node?: string;
}

/** `edge-agent service plist`: prints the property list that an install would write, on any machine. */
export function servicePlist({ config, node }: ServicePlistOptions, io: Io): number {
  io.out(
    wantedPlist({
      config: serviceConfig(config, io.cwd),
      node: node === undefined ? undefined : resolve(io.cwd, node),
    }),
  );
  return EXIT.ok;
}
