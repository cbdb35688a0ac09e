import type { ChatDb } from '../chatdb/ChatDb.ts';
import type { ChatRow } from '../chatdb/types.ts';
import { classify, type EventDraft, type Missing, type Settled, type Surroundings } from '../relay/classify.ts';
import { revisionEvents } from '../relay/revisionEvents.ts';
import { threadOf } from '../relay/toRequest.ts';
import type { Clock } from '../util/Clock.ts';

/** Rows read at a time. */
const BATCH = 200;
/** A row without its chat or text is shown as it is after this time, ms: most are completed within half a second. */
export const INCOMPLETE_MS = 2000;
/** Incomplete rows waited for at a time; with more, the oldest is shown as it is. */
const MAX_INCOMPLETE = 200;
/** Messages looked at again for edits at each change; one's own too. */
const REMEMBERED = 200;

/** One thing to print: a message, or with `event` what happened to one or in its conversation. */
export interface Seen {
  readonly row: ChatRow;
  readonly event?: EventDraft;
}

/** What a person at the terminal may see is not filtered: it does not leave this Mac. */
const everything = { redact: (text: string) => ({ text, redacted: [] }) };

/** Finds what is new in a chat.db, by the same rules that the relay hands it over by, in memory alone. */
export class RowWatch {
  readonly #clock: Clock;
  readonly #print: (seen: Seen) => void;
  /** Guids of rows that are not whole yet, with the time to stop waiting. */
  readonly #incomplete = new Map<string, number>();
  /** By guid, the last messages, oldest first: ids of the edits that were printed, or stand in the text that was. */
  readonly #told = new Map<string, Set<string>>();

  /** The last ROWID that was looked at. */
  #cursor: number | undefined;

  /** `since`: the ROWID to begin after; undefined: only what is new. */
  constructor(o: { clock: Clock; since: number | undefined; print(seen: Seen): void }) {
    this.#clock = o.clock;
    this.#cursor = o.since;
    this.#print = o.print;
  }

  get isWaiting(): boolean {
    return this.#incomplete.size > 0;
  }

  /** A chat.db was opened. What it holds already is no news, unless it was asked for; another file numbers anew. */
  opened(db: ChatDb, isOtherFile: boolean): void {
    if (this.#cursor === undefined || isOtherFile) this.#cursor = db.maxRowid();
  }

  /** Prints what came since the last look, and what changed. */
  look(db: ChatDb): void {
    this.#lookAgain(db);
    let rows: ChatRow[];
    do {
      rows = db.rowsAfter(this.#cursor ?? 0, BATCH);
      for (const row of rows) {
        this.#cursor = row.rowid;
        this.#take(db, row, this.#clock.monotonic() + INCOMPLETE_MS);
      }
    } while (rows.length > 0);
  }

  #lookAgain(db: ChatDb): void {
    const guids = [...this.#incomplete.keys(), ...this.#told.keys()];
    for (const row of guids.length > 0 ? db.rowsByGuid(guids) : []) {
      const dueAt = this.#incomplete.get(row.guid);
      if (dueAt !== undefined) this.#take(db, row, dueAt);
      else this.#tellChanges(row);
    }
  }

  #take(db: ChatDb, row: ChatRow, dueAt: number): void {
    const classified = classify(row, this.#around(db), everything);
    const isDue = this.#clock.monotonic() >= dueAt || this.#incomplete.size > MAX_INCOMPLETE;
    if (classified.kind === 'incomplete' && !isWorthShowing(classified) && !isDue) {
      this.#incomplete.set(row.guid, dueAt);
      return;
    }
    this.#incomplete.delete(row.guid);
    this.#tell(row, classified.kind === 'incomplete' ? classified.otherwise : classified);
  }

  #tell(row: ChatRow, settled: Settled): void {
    if (settled.kind === 'message') this.#print({ row });
    else if ('event' in settled && settled.event) this.#print({ row, event: settled.event });
    if (settled.kind === 'message' || settled.kind === 'own') this.#remember(row);
  }

  #remember(row: ChatRow): void {
    this.#told.set(row.guid, new Set(changesOf(row).map(({ event_id }) => event_id)));
    const [oldest] = this.#told.keys();
    if (this.#told.size > REMEMBERED && oldest !== undefined) this.#told.delete(oldest);
  }

  #tellChanges(row: ChatRow): void {
    const told = this.#told.get(row.guid);
    for (const event of changesOf(row)) {
      if (!told || told.has(event.event_id)) continue;
      told.add(event.event_id);
      this.#print({ row, event });
    }
  }

  #around(db: ChatDb): Surroundings {
    return {
      isEcho: () => false,
      byGuid: (guid) => db.rowsByGuid([guid])[0],
      recentOf: (row, limit) => db.recentOf(row, limit),
      isFirstOfChat: (row) => db.isFirstOfChat(row),
    };
  }
}

/** Nobody at a terminal waits for a file, or for the body beside a text. */
function isWorthShowing({ missing, isReadable }: { missing: Missing; isReadable: boolean }): boolean {
  return missing === 'download' || isReadable;
}

function changesOf(row: ChatRow): EventDraft[] {
  return revisionEvents(row, { privacy: everything, handedOver: false, threadId: threadOf(row) ?? '' });
}
