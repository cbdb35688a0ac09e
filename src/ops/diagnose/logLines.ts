import { statSync } from 'node:fs';
import { logTail } from '../logTail.ts';
import { ownWords } from './ownWords.ts';

const LINES = 500;
const TEXT_LINE = /^\[(\d{4}-[\dT:.-]+Z)\] \[(INFO|WARN|ERROR)\] (.*)$/;

/** The last lines of the log, without those of level debug, which may hold texts, and in the agent's own words only. */
export function logLines(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new Error(`there is no file ${path}`);
  return logTail(path, LINES).flatMap((line) => plainLine(line) ?? []);
}

function plainLine(line: string): string | undefined {
  const [time, level, message] = line.startsWith('{') ? jsonParts(line) : (TEXT_LINE.exec(line)?.slice(1) ?? []);
  if (time === undefined || level === undefined || message === undefined) return undefined;
  return `[${time}] [${level.toUpperCase()}] ${ownWords(message)}`;
}

function jsonParts(line: string): string[] {
  try {
    const { time, level, msg } = JSON.parse(line) as Record<string, unknown>;
    return level === 'debug' ? [] : [time, level, msg].map(String);
  } catch {
    return []; // half a line: the disk was full, or the file was cut while it was read
  }
}
