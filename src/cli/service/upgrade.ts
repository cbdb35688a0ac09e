import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '../../config/loadConfig.ts';
import { runProgram } from '../../ops/macos/programs.ts';
import { installedCommand } from '../../ops/service/installedPlist.ts';
import { NodeRuntime } from '../../ops/service/NodeRuntime.ts';
import { readManifest } from '../../ops/service/packageFolders.ts';
import { servicePaths } from '../../ops/service/servicePaths.ts';
import { systemClock } from '../../util/Clock.ts';
import { EdgeError, messageOf } from '../../util/EdgeError.ts';
import { EXIT } from '../exitCodes.ts';
import { explain } from '../explain.ts';
import type { CommonOptions, Io } from '../Io.ts';
import { mustRun } from './mustRun.ts';
import { Progress } from './Progress.ts';
import { putInPlace } from './putInPlace.ts';
import { refuseUnlessMac } from './refuseUnlessMac.ts';
import { PACKAGE_ROOT, PROGRAM } from './releases.ts';
import { unpackPackage } from './unpackPackage.ts';

const PACKAGE_NAME = 'edge-relay';
/** `npm install` of the libraries over a slow line. */
const NPM_MS = 600_000;

export interface ServiceUpgradeOptions extends CommonOptions {
  /** A folder with a built package, or what `npm pack` made of one; by default the package this command is part of. */
  readonly from?: string;
  readonly newNode?: boolean;
  /** Seconds. */
  readonly wait: number;
}

/** `edge-agent service upgrade`: has the service run another version, or the one before if that does not come up. */
export async function serviceUpgrade(options: ServiceUpgradeOptions, io: Io): Promise<number> {
  const refused = refuseUnlessMac(io);
  if (refused !== undefined) return refused;
  const paths = servicePaths(homedir());
  const installed = installedCommand(paths.plist);
  if (!installed) {
    io.err('edge-agent: nothing is installed that could be upgraded; do it with: edge-agent service install\n');
    return EXIT.unavailable;
  }
  const progress = new Progress(io);
  const unpacked = mkdtempSync(join(tmpdir(), 'edge-agent-upgrade-'));
  try {
    const source = await packageIn(options.from === undefined ? PACKAGE_ROOT : resolve(io.cwd, options.from), unpacked);
    const { version } = readManifest(source);
    const runtime = new NodeRuntime({ dir: paths.runtimeDir, run: runProgram, clock: systemClock });
    const replace = options.newNode === true;
    const kept = await runtime.keep({
      source: process.execPath,
      packageVersion: version,
      packageRoot: source,
      replace,
    });
    progress.step(
      'Node',
      `${kept.version}, ${kept.outcome === 'kept' ? 'kept as it is' : `${kept.outcome}: ${kept.path}`}`,
    );
    if (kept.outcome !== 'kept') progress.stands(`the private Node ${kept.path}`);
    return await putInPlace({
      source,
      config: loadConfig(installed.config),
      configFile: installed.config,
      hasNews: kept.outcome !== 'kept',
      node: kept.path,
      needsPermissions: kept.needsPermissions,
      isStarting: true,
      waitMs: options.wait * 1000,
      progress,
      person: undefined,
      io,
    });
  } catch (error) {
    const code = error instanceof EdgeError ? explain(error, io) : EXIT.unavailable;
    if (!(error instanceof EdgeError)) io.err(`edge-agent: ${messageOf(error)}\n`);
    progress.tellWhatStands();
    return code;
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

/** The folder of a package that is built and has its libraries. A tarball is unpacked, and npm fetches what it needs. @throws Error */
async function packageIn(from: string, unpacked: string): Promise<string> {
  const stat = statSync(from, { throwIfNoEntry: false });
  if (!stat) throw new Error(`there is no ${from}`);
  if (!stat.isDirectory() && !stat.isFile()) throw new Error(`${from} is neither a folder nor a file`);
  const folder = stat.isDirectory() ? from : unpacked;
  if (!stat.isDirectory()) {
    await unpackPackage(from, folder);
    await mustRun(
      'npm',
      ['--prefix', folder, 'install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'],
      NPM_MS,
    );
  }
  if (!existsSync(join(folder, 'package.json')) || readManifest(folder).name !== PACKAGE_NAME) {
    throw new Error(`${from} is not a package of ${PACKAGE_NAME}`);
  }
  if (!existsSync(join(folder, PROGRAM))) throw new Error(`${from} has no ${PROGRAM}: it is not built`);
  return folder;
}
