import type { ChatRow } from '../chatdb/types.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, messageOf } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { isClaimed } from './claims.ts';
import { ownPreviews } from './ownPreviews.ts';
import type { ReceiptSource } from './ReceiptSource.ts';
import { type Candidates, datedFrom, findReceipt } from './receipts.ts';
import { undecidedMs } from './undecided.ts';

/** How long the receipt of an unknown send may yet come, ms: Messages that hangs sends what it took when it is restarted. */
const WATCHED_MS = 24 * 3_600_000;
/**
 * By how much two attempts lie further apart than the settle time, ms, and so their rows: Messages is asked in between
 * whether it hangs, and others have their turn.
 */
const APART_MS = 10_000;
/** Sends watched at once, the latest; each is compared with each new row of ours. */
const MAX_WATCHED = 500;
/** Changes of chat.db within this are looked at together, ms: nobody waits for the news. */
const GATHER_MS = 1000;
/** Rows looked at in one go. */
const SLICE = 100;
/** Between two slices, ms. */
const SLICE_GAP_MS = 25;
/** How long a row is looked at again and again, ms: its text and its chat may be written after it. */
const UNFINISHED_MS = 60_000;
/** Until a row that is not decided yet, or is another send's for now, is looked at again, ms. */
const HELD_MS = 10_000;

/** Rows of ours, and which of them are previews. */
type Slice = Pick<Candidates, 'rows' | 'previews'>;

/**
 * Watches for rows that come after a send was told to be over: the receipt of one whose outcome was unknown, for a day,
 * and a second bubble of one that took two attempts, for another settle time.
 *
 * It walks through our rows by ROWID, a slice at a time, and while nothing is watched it reads none. Each walk begins
 * where one of a minute ago ended, or before the first row that is not decided.
 */
export class LateReceipts {
  readonly #store: StateStore;
  readonly #chatDb: () => ReceiptSource | undefined;
  readonly #epoch: () => number;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  /** How long a second row of a confirmed send may come, ms. */
  readonly #againMs: number;
  readonly #onRow: (send: SendRow, row: ChatRow) => void;
  readonly #turn: (work: () => void) => void;
  /** By sendId; `until` in monotonic ms: a wall clock that is wrong for a while must not end it. */
  readonly #watched = new Map<number, { readonly send: SendRow; readonly until: number }>();
  /** When rows that cannot be decided yet were first seen, monotonic ms, by guid. */
  readonly #undecided = new Map<string, number>();
  #timer: { at: number; timer: Timer } | undefined;
  /** The epoch whose rows are walked through. */
  #walked: number | undefined;
  /** Where the next walk begins. */
  #from = Number.POSITIVE_INFINITY;
  /** Where the one after a minute will; what lies between is looked at again. */
  #next: { rowid: number; at: number } | undefined;
  /** The walk is by date, ms since 1970, because a send was written to another chat.db. */
  #since: number | undefined;
  /** How far the walk under way is. */
  #at = 0;
  /** The next slice is the first of a walk. */
  #isNewWalk = true;
  /** chat.db has changed since the walk under way began; what it has passed may be another by now. */
  #isStale = false;
  /** A row before which the next walk must begin. */
  #heldAt = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(options: {
    store: StateStore;
    chatDb: () => ReceiptSource | undefined;
    epoch: () => number;
    clock: Clock;
    telemetry: Telemetry;
    settleMs: number;
    /** The row shows the bubble of a send that is over. */
    onRow: (send: SendRow, row: ChatRow) => void;
    turn: (work: () => void) => void;
  }) {
    this.#store = options.store;
    this.#chatDb = options.chatDb;
    this.#epoch = options.epoch;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#againMs = options.settleMs + APART_MS;
    this.#onRow = options.onRow;
    this.#turn = options.turn;
  }

  /** The agent started, or the Mac woke up: anything may have happened. */
  started(): void {
    const now = this.#clock.now();
    for (const send of this.#store.sends.notKnown(now - WATCHED_MS, MAX_WATCHED)) this.watch(send);
    for (const send of this.#store.sends.confirmedAgain(now - this.#againMs)) this.watch(send);
    this.changed();
  }

  /** A send ended as unknown, or was confirmed when more than one row may come of it. */
  watch(send: SendRow): void {
    if (this.#watched.size === 0) this.#walked = undefined;
    const keptMs = send.state === 'unknown' ? WATCHED_MS : this.#againMs;
    const goneMs = this.#clock.now() - (send.finishedAt ?? Number.POSITIVE_INFINITY);
    this.#watched.delete(send.sendId); // the latest is the last
    this.#watched.set(send.sendId, { send, until: this.#clock.monotonic() + keptMs - Math.max(0, goneMs) });
    for (const sendId of this.#watched.keys()) {
      if (this.#watched.size <= MAX_WATCHED) break;
      this.#watched.delete(sendId);
    }
    this.#includeRowsOf(send);
    this.changed();
  }

  /** chat.db changed. */
  changed(): void {
    this.#isStale = true;
    if (this.#watched.size > 0) this.#soon(GATHER_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.timer.cancel();
  }

  #includeRowsOf(send: SendRow): void {
    if (send.watermarkEpoch === this.#walked) this.#from = Math.min(this.#from, send.watermarkRowid ?? 0);
    else {
      this.#from = 0;
      this.#since = Math.min(this.#since ?? Number.POSITIVE_INFINITY, datedFrom(send));
    }
    this.#isNewWalk = true;
  }

  #soon(ms: number): void {
    const at = this.#clock.monotonic() + ms;
    if (this.#stopped || (this.#timer && this.#timer.at <= at)) return;
    this.#timer?.timer.cancel();
    const timer = this.#clock.after(ms, () => {
      this.#timer = undefined;
      this.#turn(this.#looking);
    });
    this.#timer = { at, timer };
  }

  readonly #looking = () => this.#look();

  /** One slice. Done again when state.db took nothing: what was written meanwhile is not watched any more. */
  #look(): void {
    this.#forgetOld();
    if (this.#watched.size === 0) return;
    const db = this.#chatDb();
    const slice = db && this.#slice(db);
    if (!slice) {
      this.#soon(GATHER_MS);
      return;
    }
    const last = slice.rows.at(-1);
    if (!last) {
      this.#through();
      return;
    }
    const watched = [...this.#watched.values()].sort((a, b) => a.send.sendId - b.send.sendId);
    for (const { send } of watched) this.#match(send, slice);
    this.#at = last.rowid;
    this.#soon(SLICE_GAP_MS);
  }

  /** The next rows; undefined when chat.db cannot be read now. */
  #slice(db: ReceiptSource): Slice | undefined {
    const epoch = this.#epoch();
    if (epoch !== this.#walked) {
      this.#walked = epoch;
      this.#from = Number.POSITIVE_INFINITY;
      this.#since = undefined;
      this.#next = undefined;
      for (const { send } of this.#watched.values()) this.#includeRowsOf(send);
    }
    if (this.#isNewWalk) {
      this.#at = this.#from;
      this.#heldAt = Number.POSITIVE_INFINITY;
      this.#isNewWalk = false;
      this.#isStale = false;
    }
    try {
      const rows =
        this.#since === undefined ? db.outgoingAfter(this.#at, SLICE) : db.outgoingSince(this.#since, SLICE, this.#at);
      return { rows, previews: ownPreviews(db, rows) };
    } catch (error) {
      this.#telemetry.failure(codeOf(error, 'EDGE_CHATDB_READ'), `looking for late receipts: ${messageOf(error)}`);
      return undefined;
    }
  }

  #through(): void {
    const now = this.#clock.monotonic();
    const end = Math.min(this.#at, this.#heldAt);
    if (this.#heldAt < Number.POSITIVE_INFINITY) this.#soon(HELD_MS);
    else this.#undecided.clear();
    this.#isNewWalk = true;
    if (this.#isStale) this.#soon(GATHER_MS);
    if (this.#next && now - this.#next.at < UNFINISHED_MS) return;
    if (this.#next) this.#from = Math.max(this.#from, Math.min(this.#next.rowid, end));
    this.#next = { rowid: end, at: now };
  }

  #match(send: SendRow, slice: Slice): void {
    const row = this.#find(send, slice);
    if (!row) return;
    if (this.#isWanted({ ...slice, rows: [row] }, send) || !this.#isDecided(send, row)) {
      this.#heldAt = Math.min(this.#heldAt, row.rowid - 1);
      return;
    }
    this.#onRow(send, row);
    if (this.#watched.get(send.sendId)?.send === send) this.#watched.delete(send.sendId);
  }

  #find(send: SendRow, { rows, previews }: Slice): ChatRow | undefined {
    const claimed = (guid: string) => isClaimed(this.#store, guid, send.sendId);
    return findReceipt(send, rows, {
      epoch: this.#epoch(),
      now: this.#clock.now(),
      claimed,
      previews,
      lastLook: false,
    });
  }

  /** A send that is not over comes first: taking its row from it would lead to a second bubble. */
  #isWanted(slice: Slice, send: SendRow): boolean {
    const begun = this.#store.sends.openOf(send.threadId).filter(({ attempts }) => attempts > 0);
    return [...this.#store.sends.inFlight(), ...begun].some((open) => this.#find(open, slice) !== undefined);
  }

  #isDecided(send: SendRow, row: ChatRow): boolean {
    if (row.error !== 0 || row.isSent || row.isDelivered) return true;
    const now = this.#clock.monotonic();
    const since = this.#undecided.get(row.guid) ?? now;
    this.#undecided.set(row.guid, since);
    return now - since >= undecidedMs(send);
  }

  #forgetOld(): void {
    const now = this.#clock.monotonic();
    for (const [sendId, { until }] of this.#watched) if (now > until) this.#watched.delete(sendId);
  }
}
