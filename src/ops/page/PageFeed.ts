import type { Clock, Timer } from '../../util/Clock.ts';
import { logTail } from '../logTail.ts';
import type { StreamClient } from '../routes.ts';
import { type PageLogLine, pageLogLine } from './logLine.ts';

/** How often pages that are open get the state, ms. */
const STATE_MS = 2_000;
/** Lines of the log are collected for so long, ms: a burst of them is one frame. */
const LOG_MS = 200;
/** Lines a page begins with, and at most gets at once; it keeps as many. */
export const LOG_LINES = 400;
/** Pages open at once; a browser has six connections to one host, and the monitor needs some too. */
export const MAX_PAGES = 6;

export interface PageFeedOptions {
  readonly clock: Clock;
  readonly state: () => object;
  readonly logFile: string;
  readonly watchLog: (listener: (line: string) => void) => () => void;
}

/**
 * Keeps open pages up to date by server-sent events: `state` every two seconds, `log` with the lines that are new.
 * Nothing runs while no page is open.
 */
export class PageFeed {
  readonly #options: PageFeedOptions;
  readonly #clients = new Set<StreamClient>();
  #lines: PageLogLine[] = [];
  #skipped = 0;
  #logTimer: Timer | undefined;
  #end: (() => void) | undefined;

  constructor(options: PageFeedOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#clients.size >= MAX_PAGES;
  }

  add(client: StreamClient): void {
    const lines = logTail(this.#options.logFile, LOG_LINES).flatMap((line) => pageLogLine(line) ?? []);
    this.#sendLines(); // what is in the file already is not to come once more
    client.write(event('log', { lines, skipped: 0, begins: true }));
    client.write(event('state', this.#options.state()));
    this.#clients.add(client);
    if (this.#clients.size === 1) this.#begin();
    client.onClose(() => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#end?.();
    });
  }

  #begin(): void {
    const { clock, watchLog, state } = this.#options;
    const unwatch = watchLog((line) => this.#take(line));
    const timer = clock.every(STATE_MS, () => this.#send(event('state', state())));
    this.#end = () => {
      unwatch();
      timer.cancel();
      this.#logTimer?.cancel();
      this.#logTimer = undefined;
      this.#lines = [];
      this.#skipped = 0;
    };
  }

  #take(line: string): void {
    const shown = pageLogLine(line);
    if (!shown) return;
    this.#lines.push(shown);
    if (this.#lines.length > LOG_LINES) {
      this.#lines.shift();
      this.#skipped += 1;
    }
    this.#logTimer ??= this.#options.clock.after(LOG_MS, () => this.#sendLines());
  }

  #sendLines(): void {
    this.#logTimer?.cancel();
    this.#logTimer = undefined;
    if (this.#lines.length === 0) return;
    this.#send(event('log', { lines: this.#lines, skipped: this.#skipped, begins: false }));
    this.#lines = [];
    this.#skipped = 0;
  }

  #send(text: string): void {
    for (const client of this.#clients) client.write(text);
  }
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
