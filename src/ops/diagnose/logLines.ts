import { statSync } from 'node:fs';
import { logTail } from '../logTail.ts';
import type { Redaction } from './Redaction.ts';

const LINES = 500;
const TEXT_LINE = /^\[(\d{4}-[\dT:.-]+Z)\] \[(INFO|WARN|ERROR)\] (.*)$/;

/** The last lines of the log, without those of level debug, which may hold texts, and in the agent's own words only. */
export function logLines(path: string, redaction: Redaction): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new Error(`there is no file ${path}`);
  return logTail(path, LINES).flatMap((line) => plainLine(line, redaction) ?? []);
}

function plainLine(line: string, redaction: Redaction): string | undefined {
  const [time, level, message] = line.startsWith('{') ? jsonParts(line) : (TEXT_LINE.exec(line)?.slice(1) ?? []);
  if (time === undefined || level === undefined || message === undefined) return undefined;
  return `[${time}] [${level.toUpperCase()}] ${redaction.own(message)}`;
}

function jsonParts(line: string): string[] {
  try {
    const { time, level, msg } = JSON.parse(line) as Record<string, unknown>;
    return level === 'debug' ? [] : [time, level, msg].map(String);
  } catch {
    return []; // half a line: the disk was full, or the file was cut while it was read
  }
}
