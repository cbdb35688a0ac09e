import { logTail } from '../logTail.ts';
import { readLogLine } from './logLine.ts';

/** When the last line of a log was written, ms since 1970; undefined where there is none, or it does not say. */
export function lastLineAt(path: string): number | undefined {
  return readLogLine(logTail(path, 1)[0] ?? '')?.at;
}
