import { type Level, pino } from 'pino';
import type { Clock } from '../util/Clock.ts';
import type { Logger, LogLevel } from '../util/Logger.ts';
import { printable } from '../util/printable.ts';
import { withoutSecret } from '../util/withoutSecret.ts';
import { RotatingFile } from './RotatingFile.ts';

/** Longest message or argument list in one line, characters; a text of 100 kB at DEBUG would bury the rest. */
const MAX_PART = 8192;

export interface LogOptions {
  readonly file: string;
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  readonly maxBytes: number;
  readonly maxFiles: number;
  readonly clock: Clock;
  /** What must never be written, whoever hands it over: a backend may echo the secret in an error. */
  readonly hide?: () => string | undefined;
  /** Gets every line as well, e.g. a terminal. */
  readonly echo?: (line: string) => void;
}

export interface Log {
  readonly logger: Logger;
  /** Lines that could not be written since one last could. */
  readonly lostLines: number;
  readonly level: LogLevel;
  setLevel(level: LogLevel): void;
  /** `listener` gets every line from now on, with its newline; the answer ends that. */
  watch(listener: (line: string) => void): () => void;
  /** Waits until what was written is on the disk. */
  flush(): void;
  /** Begins again at the path, after another program moved the file. */
  reopen(): void;
  close(): void;
}

interface Entry {
  level: LogLevel;
  time: string;
  msg: string;
  args?: unknown[];
}

/** The log file. `text`: `[ISO time] [LEVEL] message ["argument"]`; `json`: an object a line. An entry is one line. */
export function createLog(options: LogOptions): Log {
  const render = (entry: Entry) =>
    withoutSecret(options.format === 'json' ? jsonLine(entry) : textLine(entry), options.hide?.());
  const time = () => new Date(options.clock.now()).toISOString();
  const file = new RotatingFile({
    path: options.file,
    maxBytes: options.maxBytes,
    maxFiles: options.maxFiles,
    lostLine: (count, reason) =>
      render({ level: 'warn', time: time(), msg: `${count} log lines could not be written: ${reason}` }),
  });
  const listeners = new Set<(line: string) => void>();
  const write = (json: string) => {
    const line = render(JSON.parse(json) as Entry);
    file.write(line);
    options.echo?.(line);
    for (const listener of listeners) listener(line);
  };
  const base = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${time()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  const at =
    (level: Level) =>
    (message: string, ...args: unknown[]) => {
      if (!base.isLevelEnabled(level)) return;
      if (args.length === 0) base[level](cut(message));
      else base[level]({ args: args.map(plain) }, cut(message));
    };
  return {
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    get lostLines() {
      return file.lost;
    },
    get level() {
      return base.level as LogLevel;
    },
    setLevel(level) {
      base.level = level;
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    flush: () => file.flush(),
    reopen: () => file.close(),
    close: () => file.close(),
  };
}

function textLine({ time, level, msg, args }: Entry): string {
  const rest = args === undefined ? '' : ` ${cut(JSON.stringify(args))}`;
  return `[${time}] [${level.toUpperCase()}] ${printable(msg + rest)}\n`;
}

function jsonLine(entry: Entry): string {
  const args = JSON.stringify(entry.args ?? []);
  return `${JSON.stringify(args.length > MAX_PART ? { ...entry, args: [cut(args)] } : entry)}\n`;
}

function cut(text: string): string {
  return text.length <= MAX_PART ? text : `${text.slice(0, MAX_PART)}… (${text.length} characters)`;
}

/** Errors would be written as {}. */
function plain(value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
