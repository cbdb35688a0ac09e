import type { ChatRow, Revision } from '../chatdb/types.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { aboutOf, refusalOf, versionFilter } from './aboutRow.ts';
import type { ChangeSource } from './ChangeSource.ts';
import type { PrivacyFilter } from './privacy.ts';
import { revisionEvents } from './revisionEvents.ts';
import { type ToTell, tellEvents } from './tellEvents.ts';

/** From the moment an edit is noticed until it is read, ms: Messages may write date_edited before the new text. */
const SETTLE_MS = 250;
/** Longest wait for a row to say something new, ms; for an edit that is a minute old there is none. */
const UNEXPLAINED_MS = 3_000;
const FRESH_MS = 60_000;
/**
 * Until a row is looked at again that says nothing new, that intake has not come to or not decided on, or that may be the
 * receipt of a bubble under way, ms.
 */
const AGAIN_MS = 1_000;
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
 * noticed ──250 ms, the row says something new──▶ told: a row in events
 *  │  ▲ └──it says nothing new for 3 s, or is none the backend knows──▶ nothing
 *  └──┘ another date, or the row is parked
 * ```
 * Whether anything may be told of a parked row, and in which thread, is known once intake has decided on it. What it
 * goes out with is its newest text then; that it was changed is told behind it, as of every message.
 *
 * Nothing of this is on disk but the events: what was noticed and not told is noticed again.
 */
export class Revisions {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #privacy: PrivacyFilter;
  readonly #noticed = new Map<string, Noticed>();
  /** By ROWID: the date of the edit dealt with. */
  readonly #settled = new Map<number, number>();

  constructor(options: { store: StateStore; clock: Clock; telemetry: Telemetry; privacy: PrivacyFilter }) {
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

  /** @returns how many of them there was room for; the others are to be given again */
  notice(found: readonly Revision[]): number {
    const now = this.#clock.monotonic();
    for (const [index, { rowid, guid, editedAt, isFromMe }] of found.entries()) {
      if (this.#settled.get(rowid) === editedAt || this.#noticed.get(guid)?.editedAt === editedAt) continue;
      if (!this.#store.changes.known(guid) && this.#isDecided(rowid, isFromMe)) {
        this.#settle(rowid, editedAt);
        continue;
      }
      if (this.#noticed.size >= MAX_NOTICED) return index;
      this.#noticed.set(guid, { rowid, editedAt, since: now, dueAt: now + SETTLE_MS });
    }
    return found.length;
  }

  /** Tells what is due, in one transaction. @returns whether there are new events */
  tell(source: ChangeSource): boolean {
    const now = this.#clock.monotonic();
    const due = [...this.#noticed].filter(([, { dueAt }]) => dueAt <= now).slice(0, READ_AT_ONCE);
    if (due.length === 0) return false;
    const rows = new Map(source.rowsByGuid(due.map(([guid]) => guid)).map((row) => [row.guid, row]));
    const telling = due.flatMap(([guid, noticed]) => {
      const row = rows.get(guid);
      return row && this.#isReady(noticed, row) ? this.#events(row) : [];
    });
    const told = tellEvents(this.#store, this.#telemetry, telling, this.#clock.now());
    for (const [guid, noticed] of due) {
      const row = rows.get(guid);
      const next = row && !told.has(guid) ? this.#next(noticed, row) : undefined;
      if (next) this.#noticed.set(guid, next);
      else {
        this.#noticed.delete(guid);
        this.#settle(noticed.rowid, noticed.editedAt);
      }
    }
    return told.size > 0;
  }

  /** Whether the row is as it was noticed, and says what was changed or has had its time to. */
  #isReady(noticed: Noticed, row: ChatRow): boolean {
    return row.editedAt === noticed.editedAt && (saysWhat(row) || this.#isOld(noticed));
  }

  /** What to wait for in a row that had nothing new to tell. */
  #next(noticed: Noticed, row: ChatRow): Noticed | undefined {
    const now = this.#clock.monotonic();
    const { rowid, guid, editedAt, isFromMe } = row;
    if (editedAt === undefined) return undefined;
    if (editedAt !== noticed.editedAt) return { rowid, editedAt, since: now, dueAt: now + SETTLE_MS };
    const known = this.#store.changes.known(guid);
    const isParked = known?.threadId === null;
    if (!isParked && (known ? this.#isOld(noticed) : this.#isDecided(rowid, isFromMe))) return undefined;
    return { ...noticed, dueAt: now + AGAIN_MS };
  }

  #isOld({ since, editedAt }: Noticed): boolean {
    return this.#clock.monotonic() - since >= UNEXPLAINED_MS || this.#clock.now() - editedAt >= FRESH_MS;
  }

  #events(row: ChatRow): ToTell[] {
    const known = this.#store.changes.known(row.guid);
    if (!known || known.threadId === null) return [];
    const { threadId } = known;
    if (refusalOf(this.#privacy, row, threadId) !== undefined) return [];
    const about = aboutOf(row, threadId);
    const aboutGuid = known.isInbound ? known.guid : undefined;
    const drafts = revisionEvents(
      { ...row, guid: known.guid },
      { privacy: versionFilter(this.#privacy, about), handedOver: true, threadId },
    );
    return drafts.map((draft) => ({ event: { ...draft, thread_id: threadId }, aboutGuid, guid: row.guid }));
  }

  /** Whether intake is past the row, and no bubble of ours is without its receipt. */
  #isDecided(rowid: number, isFromMe: boolean): boolean {
    if (isFromMe && this.#store.sends.inFlight().length > 0) return false;
    return rowid <= (this.#store.epochs.latest()?.cursorRowid ?? 0);
  }

  #settle(rowid: number, editedAt: number): void {
    this.#settled.delete(rowid);
    this.#settled.set(rowid, editedAt);
    if (this.#settled.size > MAX_SETTLED) this.#settled.delete(this.#settled.keys().next().value!);
  }
}

/** Messages notes in message_summary_info what was edited or unsent. */
function saysWhat({ summary, isEmpty }: ChatRow): boolean {
  return isEmpty || (summary !== undefined && summary.edits.size + summary.unsentParts.length > 0);
}
