import process from 'node:process';
import { styleText } from 'node:util';
import { readLogLine } from '../ops/logs/logLine.ts';
import type { Taken } from './takeStatus.ts';

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

/** The lines of renderStatus: headings stand out, what is wrong in the colour of how wrong it is. */
export function paintStatus(lines: readonly string[], status: Taken): string[] {
  let section = '';
  return lines.map((line, index) => {
    if (index === 0) return paint(colourOf(status), paint('bold', line));
    if (line !== '' && !line.startsWith(' ')) {
      section = line;
      return paint('bold', line);
    }
    if (section.startsWith('Log (')) return `  ${paintLogLine(line.slice(2))}`;
    if (line.startsWith('    ')) return line;
    if (section.startsWith('Conditions')) return paint(line.startsWith('  warning: ') ? 'yellow' : 'red', line);
    return section.startsWith('Dead letters') || line.startsWith('  given up') ? paint('yellow', line) : line;
  });
}

function colourOf({ running, conditions }: Taken): Colour {
  if (!running || conditions.some(({ severity }) => severity === 'critical')) return 'red';
  return conditions.length > 0 ? 'yellow' : 'green';
}
