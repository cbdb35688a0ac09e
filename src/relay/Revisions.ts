import { createHash } from 'node:crypto';
import type { ChatRow, Revision } from '../chatdb/types.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { ChangeSource } from './ChangeSource.ts';
import type { RevisionPrivacy } from './RevisionPrivacy.ts';
import { revisionEvents } from './revisionEvents.ts';
import { type ToTell, tellEvents } from './tellEvents.ts';
import { threadOf } from './toRequest.ts';

/** From the moment an edit is noticed until it is read, ms: Messages may write date_edited before the new text. */
const SETTLE_MS = 250;
/** Longest wait for a row to say what was changed in it, ms. */
const UNEXPLAINED_MS = 3_000;
/** Until a row is looked at again that intake has not come to, or that may be the receipt of a bubble under way, ms. */
const UNDECIDED_MS = 1_000;
/** Edits noticed and not yet told; those behind are noticed when there is room. */
const MAX_NOTICED = 500;
/** Rows read and decoded at a time: some 5 ms. */
const READ_AT_ONCE = 50;
/** Edits remembered as dealt with, so that they are not read again with each look; some 5 MB. */
const MAX_SETTLED = 50_000;

interface Noticed {
  readonly rowid: number;
  readonly editedAt: number;
  /** Monotonic, ms. */
  readonly since: number;
  readonly dueAt: number;
}

/**
 * Edits and unsends from the moment their date is noticed.
 * ```
 * noticed ──250 ms, and the row says something new (3 s at most)──▶ told: a row in events
 *    ▲  └──another date──┐      └──not a message the backend knows──▶ nothing
 *    └───────────────────┘
 * ```
 * Nothing of this is on disk but the events: what was noticed and not told is noticed again.
 */
export class Revisions {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #privacy: RevisionPrivacy;
  readonly #noticed = new Map<string, Noticed>();
  /** By ROWID: the edit dealt with, and what the row said then. */
  readonly #settled = new Map<number, { editedAt: number; digest: string | undefined }>();

  constructor(options: { store: StateStore; clock: Clock; telemetry: Telemetry; privacy: RevisionPrivacy }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#privacy = options.privacy;
  }

  /** When there is something to tell, monotonic ms; undefined when all is told. */
  get dueAt(): number | undefined {
    let dueAt: number | undefined;
    for (const noticed of this.#noticed.values()) dueAt = Math.min(dueAt ?? noticed.dueAt, noticed.dueAt);
    return dueAt;
  }

  /** ROWIDs have another meaning now. */
  forget(): void {
    this.#settled.clear();
    this.#noticed.clear();
  }

  /** @returns undefined, or the ROWID behind which to go on when there is room again */
  notice(found: readonly Revision[]): number | undefined {
    const now = this.#clock.monotonic();
    for (const { rowid, guid, editedAt, isFromMe } of found) {
      if (this.#settled.get(rowid)?.editedAt === editedAt || this.#noticed.get(guid)?.editedAt === editedAt) continue;
      if (!this.#store.changes.known(guid) && this.#isDecided(rowid, isFromMe)) {
        this.#settle(rowid, editedAt, undefined);
        continue;
      }
      if (this.#noticed.size >= MAX_NOTICED) return rowid - 1;
      this.#noticed.set(guid, { rowid, editedAt, since: now, dueAt: now + SETTLE_MS });
    }
    return undefined;
  }

  /** Tells what is due, in one transaction. @returns whether there are new events */
  tell(source: ChangeSource): boolean {
    const now = this.#clock.monotonic();
    const due = [...this.#noticed].filter(([, { dueAt }]) => dueAt <= now).slice(0, READ_AT_ONCE);
    if (due.length === 0) return false;
    const rows = new Map(source.rowsByGuid(due.map(([guid]) => guid)).map((row) => [row.guid, row]));
    const over: { guid: string; rowid: number; editedAt: number; digest: string | undefined }[] = [];
    const telling: ToTell[] = [];
    for (const [guid, noticed] of due) {
      const row = rows.get(guid);
      const next = this.#next(noticed, row, now);
      if (next) {
        this.#noticed.set(guid, next);
        continue;
      }
      if (row) telling.push(...this.#events(row));
      const { rowid, editedAt } = noticed;
      over.push({ guid, rowid, editedAt, digest: row && digestOf(row) });
    }
    const isNews = tellEvents(this.#store, this.#telemetry, telling, this.#clock.now());
    for (const { guid, rowid, editedAt, digest } of over) {
      this.#noticed.delete(guid);
      this.#settle(rowid, editedAt, digest);
    }
    return isNews;
  }

  /** What to wait for; undefined when the row says what it has to say, or is gone. */
  #next(noticed: Noticed, row: ChatRow | undefined, now: number): Noticed | undefined {
    if (!row || row.editedAt === undefined) return undefined;
    if (row.editedAt !== noticed.editedAt) {
      return { rowid: row.rowid, editedAt: row.editedAt, since: now, dueAt: now + SETTLE_MS };
    }
    if (!this.#store.changes.known(row.guid) && !this.#isDecided(row.rowid, row.isFromMe)) {
      return { ...noticed, dueAt: now + UNDECIDED_MS };
    }
    const isExplained = saysWhat(row) && this.#settled.get(row.rowid)?.digest !== digestOf(row);
    return isExplained || now - noticed.since >= UNEXPLAINED_MS ? undefined : { ...noticed, dueAt: now + SETTLE_MS };
  }

  #events(row: ChatRow): ToTell[] {
    const known = this.#store.changes.known(row.guid);
    const threadId = known?.threadId ?? threadOf(row);
    if (!known || threadId === undefined) return [];
    const sender = row.isFromMe ? undefined : (row.handle ?? threadId);
    const { service, text } = row;
    if (this.#privacy.refuses({ threadId, sender, service, text }) !== undefined) return [];
    const aboutGuid = known.isInbound ? row.guid : undefined;
    const drafts = revisionEvents(row, { privacy: this.#privacy, handedOver: true, threadId });
    return drafts.map((draft) => ({ event: { ...draft, thread_id: threadId }, aboutGuid, guid: row.guid }));
  }

  /** Whether intake is past the row, and no bubble of ours is without its receipt. */
  #isDecided(rowid: number, isFromMe: boolean): boolean {
    if (isFromMe && this.#store.sends.inFlight().length > 0) return false;
    return rowid <= (this.#store.epochs.latest()?.cursorRowid ?? 0);
  }

  #settle(rowid: number, editedAt: number, digest: string | undefined): void {
    this.#settled.delete(rowid);
    this.#settled.set(rowid, { editedAt, digest });
    if (this.#settled.size > MAX_SETTLED) this.#settled.delete(this.#settled.keys().next().value!);
  }
}

/** Messages notes in message_summary_info what was edited or unsent. */
function saysWhat({ summary, isEmpty }: ChatRow): boolean {
  return isEmpty || (summary !== undefined && summary.edits.size + summary.unsentParts.length > 0);
}

function digestOf({ text, subject, isEmpty, summary }: ChatRow): string {
  const edits = [...(summary?.edits ?? [])].map(([part, versions]) => [part, versions.length]);
  const said = JSON.stringify([text, subject, isEmpty, edits, summary?.unsentParts]);
  return createHash('sha1').update(said).digest('base64');
}
