import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Releases } from '../../ops/service/Releases.ts';
import { servicePaths } from '../../ops/service/servicePaths.ts';

/** The package that this program is part of: a checkout, a global one of npm, or a release that was installed. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
/** In a checkout that is run as it is, the sources are the program. */
export const PROGRAM = extname(import.meta.url) === '.ts' ? 'src/index.ts' : 'dist/index.js';

/** The copies of the program that the service of this user runs. */
export function releasesOf(home: string): Releases {
  return new Releases({ dir: join(dirname(servicePaths(home).runtimeDir), 'app'), program: PROGRAM });
}
