#!/usr/bin/env node
import { watchFile } from 'node:fs';
import process from 'node:process';

// This file must load on any Node that somebody may have, to tell them that it is too old: it imports nothing before
// the check and uses no syntax newer than Node 14 has. better-sqlite3 crashes Node 20 outright.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    'edge-agent: EDGE_NODE_TOO_OLD: Node ' +
      process.versions.node +
      ' is too old; install Node 22.18 or newer and run the command again.\n',
  );
  // A service of launchd would be started again every 10 s, each time with these words in a file that nobody rotates.
  if (process.argv[2] === 'run' && /(^|\.)edge-agent$/.test(process.env.XPC_SERVICE_NAME || '')) waitForAnotherNode();
  else process.exit(69); // EX_UNAVAILABLE
} else await start();

/** Ends, and is started again by launchd, once the file of this Node is another one. */
function waitForAnotherNode(): void {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
  process.on('SIGHUP', () => process.exit(69));
  watchFile(process.execPath, { interval: 5000 }, () => process.exit(69));
}

async function start(): Promise<void> {
  // Until the daemon answers signals itself there is nothing to stop in order, and a stop that was asked for is no failure.
  if (process.argv[2] === 'run') {
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
    // They ask to change what is yet to be read for the first time, and would end the process.
    for (const signal of ['SIGHUP', 'SIGUSR2']) process.on(signal, () => {});
  }
  await import('./util/v8Flags.ts'); // before the rest: V8 heeds some of them for what is loaded from then on
  const { runProgram } = await import('./cli/program.ts');
  const [, , command, what] = process.argv;
  // `edge-agent status | head`: the reader has what it wanted. The daemon has none, and must not end for a word of a library;
  // an upgrade, or a purge, that nobody watches any more must not end in the middle.
  const goesOn = command === 'run' || (command === 'service' && what !== 'logs');
  process.stdout.on('error', () => goesOn || process.exit(0));
  process.stderr.on('error', () => {});
  const code = await runProgram(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: { ...process.env },
    cwd: process.cwd(),
    exit: (status) => process.exit(status),
  });
  // Not at once: a pipe may still take what was written.
  process.stdout.write('', () => process.exit(code));
}
