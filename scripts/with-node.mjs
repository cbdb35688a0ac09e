// Runs a script of this project on a Node that is new enough for it: `node scripts/with-node.mjs SCRIPT [ARG…]`.
//
// Takes the Node it was started with if it is new enough, else the pinned one, fetched once into .node/. Exit code and
// signals are passed through. This file and what it imports must run on any Node from 18 on.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import process from 'node:process';
import { FetchNodeError, fetchNode } from './fetch-node.mjs';

/** Node 22.18 is the first that runs TypeScript files as they are; better-sqlite3 13 needs 22. */
const MINIMUM = [22, 18];
const PINNED = '26.10.0';
const EX_UNAVAILABLE = 69;

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

function fail(message) {
  console.error(`with-node: ${message}`);
  process.exit(EX_UNAVAILABLE);
}

function chooseNode() {
  if (isNewEnough(process.versions.node)) return process.execPath;
  try {
    return fetchNode(PINNED, `Node ${process.versions.node} is too old for this project`);
  } catch (error) {
    if (!(error instanceof FetchNodeError)) throw error;
    return fail(`${error.message}. Install Node ${MINIMUM.join('.')} or newer and run the command again.`);
  }
}

function run(node, args) {
  // Children must find the same Node: vitest, the demo and the tests start processes of their own.
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH ?? ''}` };
  const child = spawn(node, args, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal gives Ctrl-C to the whole process group: handing it on as well would be a second one.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => fail(`${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.exitCode = 128 + constants.signals[signal]; // for the few that Node does not die of, such as SIGPIPE
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

const script = process.argv.slice(2);
if (script.length === 0) {
  console.error('usage: node scripts/with-node.mjs SCRIPT [ARG…]');
  process.exit(64);
}
run(chooseNode(), script);
