import { pino } from 'pino';
import type { Logger, LogLevel } from '../../util/Logger.ts';

export type LogFormat = 'text' | 'json';

/**
 * A log on `write`: `text` is a line of time, level and message; `json` has the facts as fields beside it. The last
 * argument of a log call, where it is an object, is those fields.
 */
export function createLog(o: { format: LogFormat; level: LogLevel; write(line: string): void }): Logger {
  const out = pino(
    {
      base: null,
      level: o.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => o.write(o.format === 'json' ? line : textLine(line)) },
  );
  const at = (level: LogLevel) => (message: string, fields?: unknown) =>
    fields !== null && typeof fields === 'object' ? out[level](fields, message) : out[level](message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function textLine(json: string): string {
  const { time, level, msg } = JSON.parse(json) as { time: string; level: string; msg: string };
  // A message of several lines would read as several entries.
  return `[${time}] [${level.toUpperCase()}] ${msg.replaceAll('\n', '\\n')}\n`;
}
