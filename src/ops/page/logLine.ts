import { maskIn } from '../mask.ts';

export interface PageLogLine {
  readonly time: string;
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
}

const TEXT_LINE = /^\[(\d{4}-[\dT:.-]+Z)\] \[(INFO|WARN|ERROR)\] (.*)$/;

/** A line of the log as the page shows it; undefined for level debug, which holds texts and whole handles. */
export function pageLogLine(line: string): PageLogLine | undefined {
  const [time, level, text] = line.startsWith('{') ? jsonParts(line) : (TEXT_LINE.exec(line.trimEnd())?.slice(1) ?? []);
  if (time === undefined || level === undefined || text === undefined) return undefined;
  return { time, level: level.toLowerCase() as PageLogLine['level'], text: maskIn(text) };
}

function jsonParts(line: string): string[] {
  try {
    const { time, level, msg } = JSON.parse(line) as Record<string, unknown>;
    return ['info', 'warn', 'error'].includes(String(level)) ? [time, level, msg].map(String) : [];
  } catch {
    return []; // half a line: the disk was full, or the file was cut while it was read
  }
}
