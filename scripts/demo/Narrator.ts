import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const WIDTH = 100;

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
    this.#line('red', '⚡', text);
  }

  #line(style: Style, who: string, text: string): void {
    const ms = `${Math.round(performance.now() - this.#since)} ms`.padStart(8);
    const shown = text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text;
    console.log(`${styleText('dim', ms)}  ${styleText(style, `${who.padEnd(9)}${shown}`)}`);
  }
}
