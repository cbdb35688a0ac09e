import type { StateStore } from '../state/StateStore.ts';
import type { ChangeSource, ChangeWindow } from './ChangeSource.ts';

/** Apple lets a message be edited for 15 minutes and unsent for 2; the rest is for clocks that disagree, ms. */
export const WATCHED_MS = 20 * 60_000;
/**
 * A look stands for all that had changed before it once it is so long ago, ms: what was edited while the Mac slept, or had
 * no network, Messages writes down some minutes after it is back.
 */
const LATE_MS = 10 * 60_000;
/** How often it is noted where the new rows began, ms. */
const MARK_EVERY_MS = 60_000;

/** One moment: ms since 1970, and monotonic ms. */
export interface Moment {
  readonly now: number;
  readonly monotonic: number;
}

interface Since {
  readonly epoch: number;
  /** Everything that changed before this was noticed, ms since 1970. */
  readonly seenUntil: number;
  /** Rows from here on were taken in within the last WATCHED_MS before that, or later. */
  readonly fromRowid: number;
  /** Oldest date among them: where to look when ROWIDs no longer mean anything, ms since 1970. */
  readonly oldestAt: number;
}

/**
 * How far back changes have to be looked for: rows dated, or taken in, less than 20 minutes before the moment up to
 * which all was seen. Live that is a look of ten to twenty minutes ago, or the last before a sleep; after a downtime, what
 * state.db says of when rows were taken in last; that is kept until all of it has been looked through, because rows taken
 * in since make it look shorter.
 */
export class WatchedTime {
  readonly #store: StateStore;
  #since: Since | undefined;
  /** Where new rows began, and when, monotonic ms: a wall clock that steps must not make them look old. */
  #marks: { at: number; rowid: number }[] = [];
  /** The look up to which all was told, monotonic ms. */
  #seenAt = Number.NEGATIVE_INFINITY;
  /** The first look since. */
  #next: Moment | undefined;
  #isStored = false;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** To be called before anything is taken in. @throws EdgeError, see StateStore.transaction */
  begin(now: number): void {
    const { changes, epochs, meta } = this.#store;
    const epoch = epochs.latest()?.epoch ?? 0;
    const taken = changes.lastTaken(epoch, WATCHED_MS) ?? { seenUntil: now, fromRowid: undefined, oldestAt: now };
    const stored = meta.get('changes_since');
    const last = stored ? (JSON.parse(stored) as Since) : undefined;
    const fromRowid = taken.fromRowid ?? (epochs.latest()?.cursorRowid ?? 0) + 1;
    const oldestAt = Math.min(taken.oldestAt, last?.oldestAt ?? now);
    const seenUntil = Math.min(taken.seenUntil, last?.seenUntil ?? now, now);
    // Their ROWIDs are those of another chat.db.
    const isByDate = taken.fromRowid === undefined || (last !== undefined && last.epoch !== epoch);
    this.#set({
      epoch,
      seenUntil: isByDate ? Math.min(seenUntil, oldestAt) : seenUntil,
      fromRowid: last?.epoch === epoch ? Math.min(fromRowid, last.fromRowid) : fromRowid,
      oldestAt,
    });
  }

  /**
   * The rows to be looked through now; `monotonic` is the same moment on the other clock.
   * @throws EdgeError, see StateStore.transaction: to be asked again
   */
  window({ now, monotonic }: Moment, epoch: number, source: Pick<ChangeSource, 'maxRowid'>): ChangeWindow {
    if (epoch !== this.#since?.epoch) this.#enter(epoch, now, source.maxRowid() + 1);
    const sinceAt = Math.min(this.#since?.seenUntil ?? now, now) - WATCHED_MS;
    while ((this.#marks[1]?.at ?? monotonic) <= this.#seenAt - WATCHED_MS) this.#marks.shift();
    const last = this.#marks.at(-1)!;
    if (monotonic - last.at >= MARK_EVERY_MS) {
      const cursor = this.#store.epochs.latest()?.cursorRowid ?? 0;
      this.#marks.push({ at: monotonic, rowid: Math.max(last.rowid, cursor + 1) });
    }
    return { sinceAt, fromRowid: this.#marks[0]!.rowid };
  }

  /** All that a look of that moment found has been told. @throws EdgeError, see StateStore.transaction: to be told again */
  seen(moment: Moment): void {
    this.#next ??= moment;
    const { now, monotonic } = this.#next;
    if (moment.monotonic - monotonic < LATE_MS) return;
    if (this.#since) this.#since = { ...this.#since, seenUntil: now };
    this.#seenAt = monotonic;
    if (this.#isStored) this.#store.transaction(() => this.#store.meta.set('changes_since', ''));
    this.#isStored = false;
    this.#next = moment;
  }

  /** Another chat.db: what was written in it before is found by date. */
  #enter(epoch: number, now: number, fromRowid: number): void {
    const oldestAt = Math.min(
      this.#since?.oldestAt ?? now,
      this.#store.changes.lastTaken(epoch, WATCHED_MS)?.oldestAt ?? now,
    );
    this.#set({ epoch, seenUntil: Math.min(this.#since?.seenUntil ?? now, oldestAt), fromRowid, oldestAt });
  }

  #set(since: Since): void {
    this.#store.transaction(() => this.#store.meta.set('changes_since', JSON.stringify(since)));
    this.#isStored = true;
    this.#since = since;
    this.#marks = [{ at: Number.NEGATIVE_INFINITY, rowid: since.fromRowid }];
    this.#seenAt = Number.NEGATIVE_INFINITY;
    this.#next = undefined;
  }
}
