import type { LogLevel } from '../../util/Logger.ts';

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** What a line of the log says of itself, in either of its formats. */
export interface LogLine {
  readonly at: number;
  readonly level: LogLevel;
}

export interface LogWanted {
  /** The least level. */
  readonly level?: LogLevel | undefined;
  /** Words that the line holds, in whatever case. */
  readonly grep?: string | undefined;
  /** From then on, ms since 1970. */
  readonly since?: number | undefined;
}

const TEXT_LINE = /^\[(\d{4}-[\dT:.-]+Z)\] \[(DEBUG|INFO|WARN|ERROR)\] /;
/** As pino writes it: the level first, then the time. */
const JSON_LINE = /^\{"level":"(debug|info|warn|error)","time":"([\dT:.-]+Z)"/;

/** Undefined for what is no whole line: half of one, from a full disk, or what another program wrote. */
export function readLogLine(line: string): LogLine | undefined {
  const text = TEXT_LINE.exec(line);
  const json = text ? null : JSON_LINE.exec(line);
  const [time, level] = text ? [text[1], text[2]] : [json?.[2], json?.[1]];
  if (time === undefined || level === undefined) return undefined;
  return { at: Date.parse(time), level: level.toLowerCase() as LogLevel };
}

/** Says line by line which are wanted. What is no line of its own is wanted where the line before it was. */
export function logFilter({ level = 'debug', grep, since = 0 }: LogWanted): (line: string) => boolean {
  const least = LOG_LEVELS.indexOf(level);
  const words = grep?.toLowerCase();
  const isAll = least === 0 && since === 0;
  let wasIn = isAll;
  return (line) => {
    const read = readLogLine(line);
    if (read) wasIn = LOG_LEVELS.indexOf(read.level) >= least && read.at >= since;
    return wasIn && (words === undefined || line.toLowerCase().includes(words));
  };
}
