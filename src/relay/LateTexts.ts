import { hash } from 'node:crypto';
import type { ChatRow } from '../chatdb/types.ts';
import type { MessageRequest } from '../protocol/wire.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { refusalOf } from './aboutRow.ts';
import { keyOf } from './admit.ts';
import type { ChangeSource } from './ChangeSource.ts';
import type { PrivacyFilter } from './privacy.ts';
import { type ToTell, tellEvents } from './tellEvents.ts';
import { toRequest } from './toRequest.ts';

/** When a message is read again after it was taken in, ms. */
const LOOKS_MS = [1_000, 3_000] as const;
/** Messages watched; of an iCloud block the last ones. */
const MAX_WATCHED = 500;
/** Rows read and decoded at a time: some 5 ms. */
const READ_AT_ONCE = 50;

interface Watched {
  /** Monotonic, ms. */
  readonly since: number;
  readonly looks: number;
  /** What the row said when it was taken in; undefined after a restart. */
  readonly said: string | undefined;
}

/**
 * Messages whose text changes in the first seconds without being edited: it was cut off, or a transcript came. What the
 * backend was or will be told is in state.db, and a text that differs from it is told as a late edit.
 */
export class LateTexts {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #privacy: PrivacyFilter;
  readonly #watched = new Map<string, Watched>();
  #dueAt: number | undefined;

  constructor(options: { store: StateStore; clock: Clock; telemetry: Telemetry; privacy: PrivacyFilter }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#privacy = options.privacy;
  }

  /** Takes up what an agent that ended had under watch. */
  begin(): void {
    for (const guid of this.#store.changes.newestGuids(LOOKS_MS[1], READ_AT_ONCE)) this.#watch(guid, undefined);
  }

  admitted(row: ChatRow): void {
    this.#watch(row.guid, saidBy(row));
  }

  /** When a row is to be read again, monotonic ms. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** Reads the rows that are due again. @returns whether there are new events */
  look(source: ChangeSource): boolean {
    const now = this.#clock.monotonic();
    const due = [...this.#watched].filter(([, watched]) => dueOf(watched) <= now).slice(0, READ_AT_ONCE);
    if (due.length === 0) return false;
    const rows = new Map(source.rowsByGuid(due.map(([guid]) => guid)).map((row) => [row.guid, row]));
    const telling = due.flatMap(([guid, { said }]) => {
      const row = rows.get(guid);
      // What was edited is told as that.
      return !row || row.editedAt !== undefined || saidBy(row) === said ? [] : this.#events(row);
    });
    const told = tellEvents(this.#store, this.#telemetry, telling, this.#clock.now(), (guid) => {
      const fingerprint = keyOf(rows.get(guid)!);
      if (fingerprint !== undefined) this.#store.changes.moveFingerprint(guid, fingerprint);
    });
    for (const [guid, watched] of due) {
      const looks = watched.looks + 1;
      if (looks < LOOKS_MS.length && rows.has(guid)) this.#watched.set(guid, { ...watched, looks });
      else this.#watched.delete(guid);
    }
    this.#dueAt = undefined;
    for (const watched of this.#watched.values()) this.#isDueAt(dueOf(watched));
    return told.size > 0;
  }

  #watch(guid: string, said: string | undefined): void {
    const watched = { since: this.#clock.monotonic(), looks: 0, said };
    this.#watched.delete(guid);
    this.#watched.set(guid, watched);
    this.#isDueAt(dueOf(watched));
    if (this.#watched.size > MAX_WATCHED) this.#watched.delete(this.#watched.keys().next().value!);
  }

  /** Kept, because a block asks for it with every row. */
  #isDueAt(at: number): void {
    this.#dueAt = Math.min(this.#dueAt ?? at, at);
  }

  #events(row: ChatRow): ToTell[] {
    const body = this.#store.changes.queuedBody(row.guid);
    if (body === undefined) return [];
    const queued = JSON.parse(body) as MessageRequest;
    const { thread_id, sender } = queued;
    const now = toRequest(row, thread_id, { privacy: this.#privacy, backfill: false, now: this.#clock.now() });
    if (now.filtered_text === queued.filtered_text) return [];
    if (refusalOf(this.#privacy, row, thread_id) !== undefined) return [];
    const details = {
      message_guid: row.guid,
      text: now.filtered_text,
      history: [],
      edited_at: new Date(this.#clock.now()).toISOString(),
      sender,
      is_from_me: false,
      was_redacted: now.was_redacted,
      redacted_fields: now.redacted_fields,
      late: true,
    };
    // Of the text as told: a hash of a short secret is no secret.
    const event_id = `late:${row.guid}:${shortHash(now.filtered_text)}`;
    const event = { event_id, event_type: 'message_edited' as const, thread_id, details };
    return [{ event, guid: row.guid, aboutGuid: row.guid }];
  }
}

function dueOf({ since, looks }: Watched): number {
  return since + LOOKS_MS[looks as 0 | 1];
}

/** Changes with all that ends up in the text; a transcript is in the body alone. */
function saidBy({ text, subject, bodyBytes, balloon }: ChatRow): string {
  return shortHash(JSON.stringify([text, subject, bodyBytes, balloon]));
}

function shortHash(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32);
}
