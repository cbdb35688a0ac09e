import { type Clock, sleep } from '../util/Clock.ts';

/**
 * How long after a message row its companions are written, ms. On a Mac these are a few ms to some seconds; here they
 * are short, so that a test is quick, but never nothing, so that a reader that counts on one transaction is found out.
 */
export interface Delays {
  /** chat_message_join, after the message row. @default 3 */
  readonly joinMs: number;
  /** message_attachment_join and cache_has_attachments, after chat_message_join. @default 3 */
  readonly attachmentMs: number;
  /** is_sent, after the message row. @default 5 */
  readonly sentMs: number;
  /** is_delivered and date_delivered, after the message row. @default 10 */
  readonly deliveredMs: number;
  /** A link's preview, after the text; 500–900 on a Mac. @default 20 */
  readonly previewMs: number;
  /** The inbound row of a message to oneself, after the own one; about 2000 on a Mac. @default 20 */
  readonly selfCopyMs: number;
}

export const DEFAULT_DELAYS: Delays = {
  joinMs: 3,
  attachmentMs: 3,
  sentMs: 5,
  deliveredMs: 10,
  previewMs: 20,
  selfCopyMs: 20,
};

/** What is still to be written. Everything in it is given up when the Mac is closed. */
export class Later {
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  readonly #pending = new Set<Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `write` after `ms`, unless closed by then. */
  after(ms: number, write: () => void): void {
    const pending: Promise<void> = this.wait(ms)
      .then((open) => {
        if (open) write();
      })
      .finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }

  /** Resolves after `ms` with true, or at once with false when closed. */
  async wait(ms: number): Promise<boolean> {
    if (ms > 0) await sleep(this.#clock, ms, this.#stopping.signal);
    return !this.#stopping.signal.aborted;
  }

  /** Resolves when the Mac is closed, and not before. */
  closed(): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Resolves when everything has been written, what follows from it included. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.settled();
  }
}
