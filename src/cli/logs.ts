import { LogReader } from '../ops/logs/LogReader.ts';
import { logFilter } from '../ops/logs/logLine.ts';
import { sleep, systemClock } from '../util/Clock.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import type { LogLevel } from '../util/Logger.ts';
import { printable } from '../util/printable.ts';
import { drained } from './drained.ts';
import { EXIT } from './exitCodes.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openPlaces } from './openConfig.ts';
import { paintLogLine } from './paint.ts';

/** Lines shown where nothing says how many. */
const LINES = 100;
/** How often a following `logs` looks, ms: at once for a person. */
const LOOK_MS = 200;

export interface LogsOptions extends CommonOptions {
  readonly follow?: boolean;
  /** @default 100; all of them with `since` */
  readonly lines?: number;
  readonly level?: LogLevel;
  readonly grep?: string;
  /** ms since 1970 */
  readonly since?: number;
}

/** `edge-agent logs`: the log through all its files, whether the agent runs or not. */
export async function logs(options: LogsOptions, io: Io): Promise<number> {
  const { file } = openPlaces(options, io).logging;
  const { since, lines = since === undefined ? LINES : undefined } = options;
  const reader = new LogReader(file);
  const print = async (read: Iterable<string>, isWanted: (line: string) => boolean) => {
    for (const line of read) {
      if (!isWanted(line)) continue;
      io.out(`${paintLogLine(printable(line))}\n`);
      await drained();
    }
  };
  try {
    const isWanted = logFilter(options);
    if (lines === undefined) await print(reader.all(since), isWanted);
    else
      await print(
        reader.last(lines, () => logFilter(options), since),
        () => true,
      );
    if (!reader.isOpen) io.err(`edge-agent: there is no log at ${file}${options.follow ? ' yet' : ''}\n`);
    if (!options.follow) return reader.isOpen ? EXIT.ok : EXIT.unavailable;
    const abort = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => abort.abort());
    while (!abort.signal.aborted) {
      await print(reader.more(), isWanted);
      await sleep(systemClock, LOOK_MS, abort.signal);
    }
    return EXIT.ok;
  } catch (error) {
    if (error instanceof EdgeError) throw error;
    io.err(`edge-agent: ${messageOf(error)}\n`);
    return EXIT.io;
  } finally {
    reader.close();
  }
}
