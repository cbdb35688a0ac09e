import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedCommand } from '../../ops/service/installedPlist.ts';
import { privateNodePath } from '../../ops/service/NodeRuntime.ts';
import { renderPlist } from '../../ops/service/renderPlist.ts';
import { servicePaths } from '../../ops/service/servicePaths.ts';

/** The program this is part of: index.js of dist, and in a checkout that is run as it is index.ts of src. */
const PROGRAM = fileURLToPath(new URL(`../../index${extname(import.meta.url)}`, import.meta.url));

/** The configuration of the service: the one named, else the one that the service runs with, else the user's own. */
export function serviceConfig(named: string | undefined, cwd: string): string {
  if (named !== undefined) return resolve(cwd, named);
  const home = homedir();
  return installedCommand(servicePaths(home).plist)?.config ?? join(home, '.config/edge-agent/config.yaml');
}

/** The property list that would be written now. `node`: by default the private copy, or where there is none this Node. */
export function wantedPlist({ config, node }: { config: string; node?: string | undefined }): string {
  const home = homedir();
  return renderPlist({ home, node: node ?? serviceNode(home), program: PROGRAM, config });
}

function serviceNode(home: string): string {
  const own = privateNodePath(servicePaths(home).runtimeDir);
  return existsSync(own) ? own : realpathSync(process.execPath);
}
