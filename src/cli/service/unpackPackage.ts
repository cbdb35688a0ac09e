import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from './mustRun.ts';

const TAR_MS = 60_000;

/**
 * Unpacks what `npm pack` made into an empty folder. tar itself writes nothing outside of it, whatever the names in the
 * archive are; what could lead out of it later, or tell npm what to do, npm packs never, and it is refused.
 * @throws Error, and the folder is empty then
 */
export async function unpackPackage(tarball: string, folder: string): Promise<void> {
  try {
    await mustRun('tar', ['-xzf', tarball, '-C', folder, '--strip-components', '1'], TAR_MS);
    refuseForeign(folder, (name) => {
      throw new Error(
        `${tarball} was not made by npm pack: it holds ${name.slice(folder.length + 1)}, which that leaves out`,
      );
    });
  } catch (error) {
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
    throw error;
  }
}

/** Step by step: the recursion of readdir follows links. */
function refuseForeign(folder: string, refuse: (path: string) => never): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isDirectory()) refuseForeign(path, refuse);
    else if (!stat.isFile() || stat.nlink > 1 || name === '.npmrc') refuse(path);
  }
}
