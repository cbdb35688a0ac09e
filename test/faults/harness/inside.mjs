/**
 * What can be measured only from inside a program under test, loaded before it (and before fastClock.mjs):
 * `node --import 'file:///…/inside.mjs?file=FILE' …`. FILE then holds JSON, written anew every 250 ms: for how long the
 * event loop was held up, how many timers are set, how large the heap is, how much memory it and the programs before it that
 * told the same FILE took at most. Knows nothing of the program.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const file = new URL(import.meta.url).searchParams.get('file');
/** How finely the event loop is watched, ms; the histogram counts this in with each delay. */
const RESOLUTION_MS = 5;
/** Loading the program holds the loop up, and is no pause of its work. */
const START_MS = 1000;
const TELL_MS = 250;

const { setTimeout, setInterval } = globalThis;
let peakRssBytes = peakBefore();
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

setTimeout(() => {
  delays.enable();
  setInterval(tell, TELL_MS).unref();
}, START_MS).unref();

function tell() {
  const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
  peakRssBytes = Math.max(peakRssBytes, peakRss() ?? rss);
  const now = {
    pid: process.pid,
    gapP99Ms: ms(delays.percentile(99)),
    gapMaxMs: ms(delays.max),
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    heapBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
    rssBytes: rss,
    peakRssBytes,
  };
  writeFileSync(`${file}.telling`, JSON.stringify(now));
  renameSync(`${file}.telling`, file);
}

/** The high-water mark of this process; undefined where there is no /proc. maxRSS counts in whoever started it. */
function peakRss() {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  } catch {
    return undefined;
  }
}

function peakBefore() {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).peakRssBytes;
  } catch {
    return 0;
  }
}
