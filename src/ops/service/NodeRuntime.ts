import { createHash } from 'node:crypto';
import { createReadStream, existsSync, realpathSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { chmod, constants, copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../util/Clock.ts';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import type { RunProgram } from '../macos/programs.ts';
import { type InstalledNode, readInstalledNode, writeInstalledNode } from './installedNode.ts';
import { type NodeSignature, nodeSignature } from './nodeSignature.ts';
import { isNewEnough } from './nodeVersion.ts';

/** macOS may look a new program through before its first run, ms. */
const PROBE_MS = 30_000;
/** Says its version first, so that a Node which cannot load the module is told from a file that is no Node. */
const probeOf = (module: string) => `console.log(process.versions.node);
new (require(${JSON.stringify(module)}))(':memory:').close();`;

/** The file that macOS ties its permissions to: its place never changes. */
export function privateNodePath(runtimeDir: string): string {
  return join(runtimeDir, 'bin/edge-agent-node');
}

export interface KeepOptions {
  /** The Node to copy. */
  readonly source: string;
  readonly packageVersion: string;
  /** The folder of the package that it is to run; by default the one that this program is part of. */
  readonly packageRoot?: string;
  /** Replace a copy that still fits as well. */
  readonly replace?: boolean;
}

export interface KeptNode {
  readonly path: string;
  readonly version: string;
  readonly outcome: 'made' | 'replaced' | 'kept';
  /** Why it was replaced; null where it was not. */
  readonly reason: string | null;
  /** The bytes at `path` are not those that permissions were given to, if any were: they are to be given (again). */
  readonly needsPermissions: boolean;
  readonly signature: NodeSignature;
}

export interface NodeRuntimeOptions {
  readonly dir: string;
  readonly run: RunProgram;
  readonly clock: Clock;
}

/**
 * Keeps a copy of Node for the agent alone. macOS gives Full Disk Access and Automation to one file, and takes them away
 * without a word when an update puts another in its place; so the copy is replaced only when it must be, and told so.
 */
export class NodeRuntime {
  readonly path: string;
  readonly #dir: string;
  readonly #record: string;
  readonly #run: RunProgram;
  readonly #clock: Clock;

  constructor({ dir, run, clock }: NodeRuntimeOptions) {
    this.path = privateNodePath(dir);
    this.#dir = dir;
    this.#record = join(dir, 'installed.json');
    this.#run = run;
    this.#clock = clock;
  }

  /** The record of the copy; undefined where none was made. @throws Error where it cannot be read */
  installed(): InstalledNode | undefined {
    return readInstalledNode(this.#record);
  }

  /** Makes the copy, unless there is one that is new enough and can load what the program needs. @throws EdgeError EDGE_NODE_COPY */
  async keep({ source, packageVersion, packageRoot, replace = false }: KeepOptions): Promise<KeptNode> {
    const module = sqliteOf(packageRoot);
    const found = existsSync(this.path) ? await this.#probe(this.path, module) : undefined;
    if (found?.fits && (!replace || isSameFile(source, this.path))) {
      const hasChanged = (await this.changed()) !== undefined || !this.#hasRecord();
      if (hasChanged) await this.#write(found.version, this.path, packageVersion);
      return this.#kept('kept', found.version, null, hasChanged);
    }
    const version = await this.#copy(source, packageVersion, module);
    if (!found) return this.#kept('made', version, null, true);
    return this.#kept('replaced', version, found.fits ? 'a new one was asked for' : found.why, true);
  }

  /** What is the matter with the copy, compared with its record; undefined: nothing, or there is none. Reads it only if its size or time differ. */
  async changed(): Promise<string | undefined> {
    let record: InstalledNode | undefined;
    try {
      record = this.installed();
    } catch (error) {
      return `${this.#record} cannot be read (${messageOf(error)}), so that nothing tells whether ${this.path} is the file that was installed`;
    }
    if (!record) return undefined;
    const stat = statSync(this.path, { throwIfNoEntry: false });
    const was = `Node ${record.node_version}, installed ${record.installed_at}`;
    if (!stat) return `${this.path} is gone (${was})`;
    if (stat.size === record.node_size && stat.mtimeMs === record.node_mtime_ms) return undefined;
    if (stat.size === record.node_size && (await sha256(this.path)) === record.node_sha256) return undefined;
    return `${this.path} is not the file that was installed there (${was})`;
  }

  /** That a program runs on another Node than the copy that was made for it; undefined: it does not, or none was made. */
  foreign(execPath: string): string | undefined {
    if (!this.#hasRecord() || isSameFile(execPath, this.path)) return undefined;
    return `it runs on ${execPath}, and the permissions were given to ${this.path}`;
  }

  /** Deletes the copy and its record. */
  remove(): void {
    for (const file of this.files()) rmSync(file, { force: true });
    for (const dir of [dirname(this.path), this.#dir]) {
      try {
        rmdirSync(dir);
      } catch {
        // what is not empty stays: somebody keeps other things there
      }
    }
  }

  /** What is there of it. */
  files(): string[] {
    const files = [this.path, this.#record].flatMap((file) => [file, `${file}.next`]);
    return files.filter((file) => existsSync(file));
  }

  #hasRecord(): boolean {
    return existsSync(this.#record);
  }

  async #kept(
    outcome: KeptNode['outcome'],
    version: string,
    reason: string | null,
    needsPermissions: boolean,
  ): Promise<KeptNode> {
    const signature = await nodeSignature(this.path, this.#run);
    return { path: this.path, version, outcome, reason, needsPermissions, signature };
  }

  /** The copy is tried before it takes its place; until then the one that is there runs on. */
  async #copy(source: string, packageVersion: string, module: string): Promise<string> {
    const next = `${this.path}.next`;
    try {
      const from = realpathSync(source);
      if (isSameFile(from, this.path)) throw new Error('a copy cannot be made of itself; name another Node');
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      await rm(next, { force: true });
      await copyFile(from, next, constants.COPYFILE_FICLONE); // on APFS, without taking room
      await chmod(next, 0o755);
      await syncFile(next);
      const probe = await this.#probe(next, module);
      if (!probe.fits) throw new Error(probe.why);
      await rename(next, this.path);
      await syncFile(dirname(this.path));
      await this.#write(probe.version, from, packageVersion);
      return probe.version;
    } catch (error) {
      await rm(next, { force: true });
      throw new EdgeError('EDGE_NODE_COPY', `${source} cannot be copied to ${this.path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async #write(version: string, source: string, packageVersion: string): Promise<void> {
    const { size, mtimeMs } = statSync(this.path);
    writeInstalledNode(this.#record, {
      node_version: version,
      node_sha256: await sha256(this.path),
      node_size: size,
      node_mtime_ms: mtimeMs,
      package_version: packageVersion,
      source,
      installed_at: new Date(this.#clock.now()).toISOString(),
    });
  }

  /** Whether a Node is new enough and of the right kind: it has to load the SQLite module that it is for. */
  async #probe(node: string, module: string): Promise<Probe> {
    const no = (why: string): Probe => ({ fits: false, why });
    try {
      const result = await this.#run(node, ['-e', probeOf(module)], { timeoutMs: PROBE_MS });
      const version = result.stdout.split('\n')[0] ?? '';
      const said = result.stderr
        .trim()
        .split('\n')
        .find((line) => /error|dyld|library/i.test(line));
      const end = result.timedOut ? 'no answer in time' : (said ?? `it ended with ${result.exitCode ?? 'a signal'}`);
      if (!/^\d+\.\d+\.\d+/.test(version)) return no(`${node} does not run as a Node: ${end}`);
      if (!isNewEnough(version)) return no(`Node ${version} is too old; 22.18 or newer is needed`);
      if (result.exitCode !== 0) return no(`Node ${version} cannot load the SQLite module: ${end}`);
      return { fits: true, version };
    } catch (error) {
      if (error instanceof EdgeError) return no(`${node} does not run: ${error.message}`);
      throw error;
    }
  }
}

type Probe = { readonly fits: true; readonly version: string } | { readonly fits: false; readonly why: string };

/** The SQLite module of a package. @throws EdgeError EDGE_NODE_COPY where it has none */
function sqliteOf(packageRoot: string | undefined): string {
  const from = packageRoot === undefined ? import.meta.url : join(packageRoot, 'package.json');
  try {
    return createRequire(from).resolve('better-sqlite3');
  } catch (error) {
    throw new EdgeError('EDGE_NODE_COPY', `better-sqlite3 is not installed, which ${packageRoot} needs`, {
      cause: error,
    });
  }
}

function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false; // one of them is not there
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
