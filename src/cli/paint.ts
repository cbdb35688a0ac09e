import process from 'node:process';
import { styleText } from 'node:util';
import { readLogLine } from '../ops/logs/logLine.ts';

type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold';

/** Coloured where standard output is a terminal that shows colours; NO_COLOR and TERM=dumb are heeded. */
export function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

/** The line of a level that is worth a look stands out; one for the developer stands back. */
export function paintLogLine(line: string): string {
  switch (readLogLine(line)?.level) {
    case 'error':
      return paint('red', line);
    case 'warn':
      return paint('yellow', line);
    case 'debug':
      return paint('dim', line);
    default:
      return line;
  }
}
