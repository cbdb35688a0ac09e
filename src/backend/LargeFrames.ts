import type { Telemetry } from '../util/Telemetry.ts';

/** One may be a slip; two in a row are a frame that comes again with every connection. */
const POISONED_AFTER = 2;

export interface LargeFramesOptions {
  telemetry: Telemetry;
  /** The frame comes again and again (true), or a connection lasted without it (false). */
  onChange(isPoisoned: boolean, detail: string): void;
}

/**
 * A command in a frame larger than the socket takes comes with every connection, and ends it. After two in a row the
 * socket is left alone but for a try a minute, and what the frame held is fetched by HTTP, until a connection lasts.
 */
export class LargeFrames {
  readonly #o: LargeFramesOptions;
  #inARow = 0;

  constructor(options: LargeFramesOptions) {
    this.#o = options;
  }

  get isPoisoned(): boolean {
    return this.#inARow >= POISONED_AFTER;
  }

  /** An open connection ended. */
  ended(isOversized: boolean): void {
    if (this.isPoisoned) return;
    this.#inARow = isOversized ? this.#inARow + 1 : 0;
    if (!this.isPoisoned) return;
    const detail = `${POISONED_AFTER} connections in a row were ended by a frame larger than 1 MiB`;
    this.#o.telemetry.conditionRaised('EDGE_BACKEND_TOO_LARGE', detail);
    this.#o.onChange(true, detail);
  }

  /** A connection lasted. */
  lasted(): void {
    const wasPoisoned = this.isPoisoned;
    this.#inARow = 0;
    if (!wasPoisoned) return;
    this.#o.telemetry.conditionCleared('EDGE_BACKEND_TOO_LARGE');
    this.#o.onChange(false, '');
  }
}
