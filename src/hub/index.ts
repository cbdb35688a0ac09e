#!/usr/bin/env node
// The edge-hub program. Nothing with a native module in it is imported before the Node is known to be new enough.
import process from 'node:process';

const MINIMUM = [22, 18] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
  console.error(`edge-hub needs Node ${MINIMUM.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(69);
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second signal does not wait for requests to end.
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
  });
}
const { run } = await import('./cli/serve.ts');
process.exit(await run(process.argv.slice(2), process.env, stopping.signal));
