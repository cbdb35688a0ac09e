import type { Telemetry } from '../util/Telemetry.ts';

/** From so many lines on a batch is told in one: a block of 50,000 rows must not turn the log over. */
const FOLD_FROM = 50;

type Received = Parameters<Telemetry['messageReceived']>[0];
type Skipped = Parameters<Telemetry['rowSkipped']>[0];
type Noted = Parameters<Telemetry['eventNoted']>[0];

/** What a transaction did, told once it is through. */
export class Told {
  /** Backfill rows among those that may be posted now. */
  backfill = 0;
  /** Something changed for the pump: rows to post, or one less that holds up its thread. */
  isNews = false;
  /** Rows were parked. */
  hasParked = false;
  /** There may be events to tell. */
  hasEvents = false;
  /** A block was recognised: rows that waited for it are decided. */
  hasDecided = false;
  readonly #received: Received[] = [];
  readonly #skipped: Skipped[] = [];
  readonly #noted: Noted[] = [];
  readonly #others: ((telemetry: Telemetry) => void)[] = [];

  received(message: Received): void {
    this.#received.push(message);
    this.isNews = true;
    if (message.backfill) this.backfill++;
  }

  /** A parked row is over and not handed over: it holds up neither its thread any more nor what is to be told of it. */
  unparked(): void {
    this.isNews = true;
    this.hasEvents = true;
  }

  skipped(row: Skipped): void {
    this.#skipped.push(row);
  }

  noted(event: Noted): void {
    this.#noted.push(event);
    this.hasEvents = true;
  }

  later(tell: (telemetry: Telemetry) => void): void {
    this.#others.push(tell);
  }

  tell(telemetry: Telemetry): void {
    for (const tell of this.#others) tell(telemetry);
    const lines = this.#received.length + this.#skipped.length + this.#noted.length;
    if (lines >= FOLD_FROM) {
      telemetry.blockTaken({ messages: this.#received, skipped: this.#skipped, events: this.#noted.length });
      return;
    }
    for (const message of this.#received) telemetry.messageReceived(message);
    for (const row of this.#skipped) telemetry.rowSkipped(row);
    for (const event of this.#noted) telemetry.eventNoted(event);
  }
}
