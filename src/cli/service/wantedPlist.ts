import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { installedCommand } from '../../ops/service/installedPlist.ts';
import { privateNodePath } from '../../ops/service/NodeRuntime.ts';
import { renderPlist } from '../../ops/service/renderPlist.ts';
import { servicePaths } from '../../ops/service/servicePaths.ts';
import { releasesOf } from './releases.ts';

/** The configuration of the service: the one named, else the one that the service runs with, else the user's own. */
export function serviceConfig(named: string | undefined, cwd: string): string {
  if (named !== undefined) return resolve(cwd, named);
  const home = homedir();
  return installedCommand(servicePaths(home).plist)?.config ?? join(home, '.config/edge-agent/config.yaml');
}

/** The property list that would be written now. `node`: by default the private copy, or where none was made this Node. */
export function wantedPlist({ config, node }: { config: string; node?: string | undefined }): string {
  const home = homedir();
  return renderPlist({ home, node: node ?? serviceNode(home), program: releasesOf(home).programPath, config });
}

function serviceNode(home: string): string {
  const { runtimeDir, plist } = servicePaths(home);
  const own = privateNodePath(runtimeDir);
  // One that is gone is made anew in its place: the property list that names it is right.
  return existsSync(own) || installedCommand(plist)?.node === own ? own : realpathSync(process.execPath);
}
