import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Columns of a line before its text: the time, then who. */
const MARGIN = 19;
/** Columns of a text where the output is no terminal. */
const WIDTH = 100;

/** A text is one line, as wide as the terminal allows. */
function oneLine(text: string): string {
  const width = Math.min(WIDTH, (process.stdout.columns ?? WIDTH + MARGIN) - MARGIN);
  const line = text.replace(/\s+/g, ' ');
  return line.length > width ? `${line.slice(0, Math.max(1, width - 1))}…` : line;
}

/** Prints the conversation as it happens: a line each, with the milliseconds since what caused it. */
export class Narrator {
  #since = performance.now();
  /** Leaves out what goes over the wire, where it would bury the conversation. */
  isBrief = false;

  title(text: string): void {
    console.log(`\n${styleText('bold', text)}`);
    this.#since = performance.now();
  }

  /** What a person does starts the clock of what follows. */
  person(who: string, text: string): void {
    this.#since = performance.now();
    this.#line('cyan', `${who} →`, text);
  }

  bubble(to: string, text: string): void {
    this.#line('green', `${to} ←`, text);
  }

  wire(text: string): void {
    if (!this.isBrief) this.#line('gray', '', text);
  }

  fault(text: string): void {
    this.#line('red', '✗', text);
  }

  #line(style: Style, who: string, text: string): void {
    const ms = `${Math.round(performance.now() - this.#since)} ms`.padStart(8);
    console.log(`${styleText('dim', ms)}  ${styleText(style, `${who.padEnd(9)}${oneLine(text)}`)}`);
  }
}
