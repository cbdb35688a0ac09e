import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What npm takes for one; it becomes part of a path. */
const NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/i;

export interface PackageFolder {
  /** As Node finds it from the program: `node_modules/pino/node_modules/…`. */
  readonly place: string;
  readonly path: string;
  readonly version: string;
}

/**
 * The folders of the libraries that the package in `root` runs with, each once, those of development left out. They are
 * looked up as Node does, so that a checkout, `npm install -g` and a package among others in one node_modules all do.
 * @throws Error naming a library that is not installed
 */
export function packageFolders(root: string): PackageFolder[] {
  const found = new Map<string, PackageFolder>();
  const visit = (folder: string, manifest: Manifest) => {
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
      if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)}, which ${folder} needs, is no name of a library`);
      const path = lookUp(folder, name);
      if (path === undefined) {
        if (manifest.optionalDependencies?.[name] !== undefined) continue; // those of other machines
        throw new Error(`${name} is not installed, which ${folder} needs; run \`npm ci\` there`);
      }
      if (found.has(path)) continue;
      const inner = readManifest(path);
      // Outside of root it is a neighbour in the same node_modules, and comes to lie inside.
      const place = path.startsWith(join(root, 'node_modules'))
        ? path.slice(root.length + 1)
        : join('node_modules', name);
      found.set(path, { place, path, version: inner.version });
      visit(path, inner);
    }
  };
  visit(root, readManifest(root));
  return [...found.values()].filter((one, _at, all) => !all.some(({ path }) => one.path.startsWith(`${path}/`)));
}

function lookUp(folder: string, name: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, 'node_modules', name);
    if (existsSync(join(path, 'package.json'))) return path;
    if (dirname(at) === at) return undefined;
  }
}

export function readManifest(folder: string): Manifest & { readonly name: string } {
  return JSON.parse(readPlainFile(join(folder, 'package.json')).toString('utf8'));
}

/** Of a package that may be anybody's: reading a pipe, or a device, would never end. @throws Error */
export function readPlainFile(path: string): Buffer {
  if (!statSync(path).isFile()) throw new Error(`${path} is no file`);
  return readFileSync(path);
}
