import { readdirSync, readFileSync } from 'node:fs';

/** What /proc says of a process; undefined where there is no /proc, or no such process any more. */
export interface ProcessFigures {
  readonly rssMegabytes: number;
  /** The most it took since its start. */
  readonly peakRssMegabytes: number;
  readonly files: number;
  /** Time on the processor since its start, ms. */
  readonly cpuMs: number;
}

/** A clock tick of /proc/PID/stat, ms: fixed on every Linux that Node runs on. */
const TICK_MS = 10;

export function processFigures(pid: number): ProcessFigures | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // The name, which may hold anything, ends with the last bracket.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    const megabytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024;
    return {
      rssMegabytes: megabytes('VmRSS'),
      peakRssMegabytes: megabytes('VmHWM'),
      files: readdirSync(`/proc/${pid}/fd`).length,
      cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    };
  } catch {
    return undefined;
  }
}

/** What inside.mjs writes. */
export interface Inside {
  readonly pid: number;
  /** How long the event loop was held up, ms. */
  readonly gapP99Ms: number;
  readonly gapMaxMs: number;
  /** Not those of fastClock.mjs. */
  readonly timers: number;
  readonly heapBytes: number;
  /** What V8 has taken for its heap, and beside it for buffers. The rest of the memory is neither: SQLite, sockets, code. */
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** The most that it and those before it took; of one that was killed, until 250 ms before. */
  readonly peakRssBytes: number;
}
