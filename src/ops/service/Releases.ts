import { createHash } from 'node:crypto';
import {
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { type PackageFolder, packageFolders, readManifest, readPlainFile } from './packageFolders.ts';
import { UPGRADE_RECORD } from './UpgradeRecord.ts';

/** Besides the program and its libraries: what it reads of its own package. */
const FILES = ['package.json', 'config.yaml.example', 'launchd', 'LICENSE'];
const CURRENT = 'current';
/** Held by the command that is at work on them. */
export const RELEASES_LOCK = 'lock.db';
/** What lies beside the releases. */
const OTHERS = [CURRENT, UPGRADE_RECORD, RELEASES_LOCK, `${RELEASES_LOCK}-journal`, 'lock.pid'];
/** It becomes part of a folder's name. */
const VERSION = /^\d+\.\d+\.\d+[\w.+-]*$/;

export interface Release {
  /** Version and digest of what is in it, binaries with it: the same sources and libraries give the same name. */
  readonly id: string;
  readonly version: string;
  readonly folder: string;
}

export interface ReleasesOptions {
  /** The folder of them all. */
  readonly dir: string;
  /** The program within a package: `dist/index.js`; `src/index.ts` where the sources run as they are. */
  readonly program: string;
}

/**
 * Copies of the program that the service runs, one a version, with a link `current` to the one in use:
 *
 *   app/0.1.0-5ec294e1/   app/0.2.0-90ab1c33/   app/current → 0.2.0-90ab1c33
 *
 * Neither a build, `npm ci` nor `npm install -g` then takes files away from under an agent that runs, and the version
 * before is whole when it is wanted back. launchd is given the path through the link, which stays.
 */
export class Releases {
  readonly #dir: string;
  readonly #program: string;

  constructor({ dir, program }: ReleasesOptions) {
    this.#dir = dir;
    this.#program = program;
  }

  /** The file that launchd runs, whichever release is in use. */
  get programPath(): string {
    return join(this.#dir, CURRENT, this.#program);
  }

  /** The file of one release. */
  programOf(release: Release): string {
    return join(release.folder, this.#program);
  }

  /** Copies the package in `source`, unless it is here already and whole. Touches nothing that runs. @throws Error */
  add(source: string): Release {
    const libraries = packageFolders(source);
    const { version } = readManifest(source);
    if (!VERSION.test(version))
      throw new Error(`${source} has no version that can be used: ${JSON.stringify(version)}`);
    const code = this.#program.split('/')[0]!;
    const digest = digestOf(source, [...FILES, code], libraries);
    const id = `${version}-${digest}`;
    const release = { id, version, folder: join(this.#dir, id) };
    const isThere = existsSync(release.folder);
    if (isThere && isWhole(release.folder, [...FILES, code], digest)) return release;
    const next = join(this.#dir, `.next-${process.pid}`);
    const damaged = join(this.#dir, `.damaged-${process.pid}`);
    rmSync(next, { recursive: true, force: true });
    mkdirSync(next, { recursive: true, mode: 0o700 });
    try {
      // On APFS a clone, which takes neither time nor room.
      const copy = (from: string, place: string) =>
        cpSync(from, join(next, place), { recursive: true, dereference: true, mode: constants.COPYFILE_FICLONE });
      for (const name of [...FILES, code]) if (existsSync(join(source, name))) copy(join(source, name), name);
      for (const { path, place } of libraries) copy(path, place);
      if (isThere) renameSync(release.folder, damaged);
      renameSync(next, release.folder);
    } catch (error) {
      rmSync(next, { recursive: true, force: true });
      throw error;
    }
    rmSync(damaged, { recursive: true, force: true });
    return release;
  }

  /** The release in use; undefined before the first. */
  current(): Release | undefined {
    try {
      return this.find(readlinkSync(join(this.#dir, CURRENT)));
    } catch {
      return undefined; // no link
    }
  }

  /** Undefined where it is gone or damaged, and for what is no name of one: a record of it may be damaged, too. */
  find(id: string): Release | undefined {
    if (!VERSION.test(id)) return undefined;
    const folder = join(this.#dir, id);
    try {
      return { id, folder, version: readManifest(folder).version };
    } catch {
      return undefined;
    }
  }

  /** What is started from now on. Undefined: none. */
  use(release: Release | undefined): void {
    const link = join(this.#dir, CURRENT);
    if (!release) {
      rmSync(link, { force: true });
      return;
    }
    const next = `${link}.${process.pid}`;
    rmSync(next, { force: true });
    symlinkSync(release.id, next);
    renameSync(next, link);
  }

  /** What is there of them. */
  folders(): string[] {
    if (!existsSync(this.#dir)) return [];
    return readdirSync(this.#dir)
      .filter((name) => !OTHERS.includes(name))
      .map((name) => join(this.#dir, name));
  }

  /** Deletes them all; nobody else keeps anything there. */
  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Deletes all but these. */
  keepOnly(kept: readonly (Release | undefined)[]): void {
    const names = [...OTHERS, ...kept.map((release) => release?.id)];
    for (const name of readdirSync(this.#dir)) {
      if (!names.includes(name)) rmSync(join(this.#dir, name), { recursive: true, force: true });
    }
  }
}

/** Whether a copy still has all that its name was made of: what a cleaner or a disk took from it comes back then. */
function isWhole(folder: string, names: readonly string[], digest: string): boolean {
  try {
    return digestOf(folder, names, packageFolders(folder)) === digest;
  } catch {
    return false; // a library is gone
  }
}

function digestOf(source: string, names: readonly string[], libraries: readonly PackageFolder[]) {
  const hash = createHash('sha256');
  for (const name of names) {
    for (const file of filesOf(join(source, name)).sort())
      hash.update(`${file.slice(source.length)}\0`).update(readPlainFile(file));
  }
  const facts = libraries.map(({ place, path, version }) => [place, version, ...binariesOf(path)]);
  hash.update(JSON.stringify(facts.sort()));
  return hash.digest('hex').slice(0, 8);
}

/** The same version of a library may be built anew, for another Node or another processor. */
function binariesOf(library: string): string[] {
  return filesOf(library)
    .filter((file) => file.endsWith('.node'))
    .sort()
    .map((file) => `${file.slice(library.length)} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`);
}

function filesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  const entries = (() => {
    try {
      return readdirSync(path, { recursive: true, withFileTypes: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
      throw error;
    }
  })();
  return entries?.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)) ?? [path];
}
