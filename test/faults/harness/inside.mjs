/**
 * What can be measured only from inside a program under test, loaded before it (and before fastClock.mjs):
 * `node --import 'file:///…/inside.mjs?file=FILE' …`. FILE then holds JSON, written anew every 250 ms: for how long the
 * event loop was held up, how many timers are set, how large the heap is. Knows nothing of the program.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const file = new URL(import.meta.url).searchParams.get('file');
/** How finely the event loop is watched, ms; the histogram counts this in with each delay. */
const RESOLUTION_MS = 5;
/** Loading the program holds the loop up, and is no pause of its work. */
const START_MS = 1000;
const TELL_MS = 250;

const { setTimeout, setInterval } = globalThis;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

setTimeout(() => {
  delays.enable();
  setInterval(tell, TELL_MS).unref();
}, START_MS).unref();

function tell() {
  const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const { heapUsed, rss } = process.memoryUsage();
  const now = {
    pid: process.pid,
    gapP99Ms: ms(delays.percentile(99)),
    gapMaxMs: ms(delays.max),
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    heapBytes: heapUsed,
    rssBytes: rss,
  };
  writeFileSync(`${file}.telling`, JSON.stringify(now));
  renameSync(`${file}.telling`, file);
}
