import type { ChatRow, FileIdentity } from '../chatdb/types.ts';
import { sameText } from '../messaging/reflex.ts';
import type { EpochRow } from '../state/Epochs.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { codeOf, EdgeError, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { admit, type Told } from './admit.ts';
import { CatchUp, type Pass } from './CatchUp.ts';
import { chooseEpoch } from './chooseEpoch.ts';
import { type Classified, classify } from './classify.ts';
import type { MessageSource } from './MessageSource.ts';
import { ParkedRows } from './ParkedRows.ts';
import type { PrivacyFilter } from './privacy.ts';
import { threadOf } from './toRequest.ts';

/** Rows taken in a transaction: short enough that nothing waits behind it. */
export const BATCH_ROWS = 200;
/** How long the batch stops before an incomplete row, ms, so that order holds while Messages finishes writing it. */
const INCOMPLETE_FOR_MS = 250;
/** When an incomplete row is looked at again, ms after the look before; the last one repeats. */
const RELOOK_MS = [2, 8, 40, 50] as const;
/** How often parked rows are looked at while there are any, ms. */
const PARKED_EVERY_MS = 500;
/** When it is tried again after state.db refused, ms. */
const RETRY_MS = 1_000;
/** Rows asked where they stood, when the one at the cursor is gone. */
const WITNESSES = 20;
const DAY_MS = 86_400_000;

export interface IntakeOptions {
  store: StateStore;
  clock: Clock;
  telemetry: Telemetry;
  privacy: PrivacyFilter;
  /** For the log alone. */
  chatDbPath: string;
  answerMaxAgeSeconds: number;
  /** Rows were written that may be posted. */
  onInbound(): void;
  /** chat.db could not be read, at a moment of intake's own choice; it is to be told of the change again. */
  onReadFailed(error: EdgeError): void;
}

/**
 * Takes the rows of chat.db in: each message becomes an inbound row in the transaction that moves the cursor past it.
 * ```
 * row past the cursor ──own, event──▶ passed
 *                     ──whole──▶ pending
 *                     ──incomplete──▶ waited for, 250 ms ──▶ parked, 10 s ──▶ pending | done | dead
 * ```
 */
export class Intake {
  readonly #o: IntakeOptions;
  readonly #parked: ParkedRows;
  readonly #catchUp: CatchUp;
  #source: MessageSource | undefined;
  #identity: FileIdentity | undefined;
  /** The latest epoch as stored; undefined until it is known which one the open file belongs to. */
  #at: EpochRow | undefined;
  /** Last ROWID of a file whose tail was deleted, while it lies before the cursor. */
  #shortTail: number | undefined;
  /** Incomplete rows of the batch, and since when (monotonic); at most BATCH_ROWS. */
  #waitedFor = new Map<string, number>();
  #relooks = 0;
  #timer: Timer | undefined;
  #parkedTimer: Timer | undefined;
  /** A damaged file is opened again and again, which is no news. */
  #wasToldOf = false;
  #isDraining = false;
  #isStopped = false;
  readonly #conditions = new Set<ErrorCode>();

  constructor(o: IntakeOptions) {
    this.#o = o;
    this.#parked = new ParkedRows(o, o.clock, (row) => this.#classify(row));
    this.#catchUp = new CatchUp(o.store);
  }

  /** The number of the current epoch; 0 before the first. */
  get epoch(): number {
    return (this.#at ?? this.#o.store.epochs.latest())?.epoch ?? 0;
  }

  /** chat.db was opened, for the first time or anew. @throws EdgeError EDGE_CHATDB_*: to be told again */
  opened(source: MessageSource, identity: FileIdentity): void {
    this.#source = source;
    this.#identity = identity;
    this.#at = undefined;
    this.#look();
  }

  /** Something in chat.db may have changed. @throws EdgeError EDGE_CHATDB_*: to be told again */
  changed(source: MessageSource): void {
    this.#source = source;
    this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#parkedTimer?.cancel();
  }

  #look(): void {
    if (this.#isDraining) return; // the step under way reads on from the cursor
    this.#step();
  }

  /** A step that nobody waits for. */
  #stepAlone(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof EdgeError) || !error.code.startsWith('EDGE_CHATDB_')) throw error;
      this.#o.onReadFailed(error);
    }
  }

  #step(): void {
    this.#isDraining = false;
    if (this.#isStopped || !this.#source || !this.#identity) return;
    this.#timer?.cancel();
    try {
      this.#at ??= this.#begin(this.#source, this.#identity, false);
      this.#lookAtParked(this.#source);
      const more = this.#takeBatch(this.#source, this.#at);
      for (const code of this.#conditions) this.#o.telemetry.conditionCleared(code);
      this.#conditions.clear();
      if (!more) return;
      this.#isDraining = true;
      setImmediate(() => this.#stepAlone(() => this.#step()));
    } catch (error) {
      this.#refused(error);
    }
  }

  /** state.db takes nothing: the cursor has not moved, and the same is tried again. */
  #refused(error: unknown): void {
    const code = codeOf(error, 'EDGE_INTERNAL');
    if (code !== 'EDGE_STATE_FULL' && code !== 'EDGE_STATE_BUSY') throw error;
    this.#conditions.add(code);
    this.#o.telemetry.conditionRaised(code, messageOf(error));
    this.#relookIn(RETRY_MS);
  }

  /** Finds or starts the epoch of the file. */
  #begin(source: MessageSource, identity: FileIdentity, isRenumbered: boolean): EpochRow {
    const { store, clock, telemetry, chatDbPath: path } = this.#o;
    const { epochs, inbound } = store;
    const last = epochs.latest();
    const witnesses = last ? inbound.newestOf(last.epoch, WITNESSES) : [];
    const choice = isRenumbered ? 'new' : chooseEpoch(last, witnesses, source, identity);
    const now = clock.now();
    const begunAt = this.#begunAt();
    // Read before the dates: what is written in between lies past it.
    const untilRowid = source.maxRowid();
    store.transaction(() => {
      if (choice === 'first' && source.rowsSince(begunAt, 0, 1).length === 0) {
        const guid = source.guidAt(untilRowid) ?? null;
        epochs.start({ ...identity, rowid: untilRowid, guid, newestMessageAt: null, now });
      } else if (choice === 'first' || choice === 'new') {
        const newestMessageAt = last?.newestMessageAt ?? null;
        const epoch = epochs.start({ ...identity, rowid: 0, guid: null, newestMessageAt, now });
        const sinceAt = Math.max((newestMessageAt ?? begunAt) - DAY_MS, begunAt);
        this.#catchUp.begin({ epoch, sinceAt, untilRowid, ...(choice === 'first' && { untilAt: now + DAY_MS }) });
      } else if (choice === 'moved') epochs.setIdentity(last!.epoch, identity.dev, identity.ino);
    });
    const at = epochs.latest()!;
    this.#shortTail = undefined;
    const isNew = choice === 'first' || choice === 'new';
    const rowid = choice === 'first' ? untilRowid : at.cursorRowid;
    if (choice !== 'same' || !this.#wasToldOf) telemetry.chatdbOpened({ path, epoch: at.epoch, rowid, isNew });
    this.#wasToldOf = true;
    return at;
  }

  /** True when there may be more to take at once. */
  #takeBatch(source: MessageSource, at: EpochRow): boolean {
    if (this.#isRenumbered(source, at)) {
      this.#at = this.#begin(source, this.#identity!, true);
      return true;
    }
    const pass = this.#catchUp.of(at.epoch);
    const rows = pass ? this.#catchUp.rows(pass, source, at, BATCH_ROWS) : source.rowsAfter(at.cursorRowid, BATCH_ROWS);
    const taken = this.#takeable(rows);
    const isWhole = taken.length === rows.length;
    const isPassOver = pass !== undefined && isWhole && rows.length < BATCH_ROWS;
    if (taken.length > 0 || isPassOver) this.#take(taken, source, at, pass, isPassOver);
    if (isWhole) this.#relooks = 0;
    else this.#relookIn(RELOOK_MS[Math.min(this.#relooks++, RELOOK_MS.length - 1)]!);
    return isPassOver || (isWhole && rows.length === BATCH_ROWS);
  }

  /** The rows up to the first that is incomplete and younger than INCOMPLETE_FOR_MS. */
  #takeable(rows: readonly ChatRow[]): readonly ChatRow[] {
    const now = this.#o.clock.monotonic();
    const waitedFor = new Map<string, number>();
    for (const row of rows) {
      if (this.#classify(row).kind !== 'incomplete') continue;
      waitedFor.set(row.guid, this.#waitedFor.get(row.guid) ?? now);
    }
    this.#waitedFor = waitedFor;
    const end = rows.findIndex(
      ({ guid }) => now - (waitedFor.get(guid) ?? Number.NEGATIVE_INFINITY) < INCOMPLETE_FOR_MS,
    );
    return end === -1 ? rows : rows.slice(0, end);
  }

  /** One transaction: the rows and the cursor past them, or past the whole pass. */
  #take(found: readonly ChatRow[], source: MessageSource, at: EpochRow, pass: Pass | undefined, isPassOver: boolean) {
    const { store, clock, telemetry } = this.#o;
    const now = clock.now();
    const passOverAt = isPassOver ? pass?.untilRowid : undefined;
    const rows = pass ? found.filter((row) => !this.#catchUp.isHistory(pass, row)) : found;
    const newest = rows.reduce((max, { dateAt }) => newer(max, dateAt, now), at.newestMessageAt);
    const last = found.at(-1);
    const rowid = passOverAt ?? last?.rowid ?? at.cursorRowid;
    const guid = (passOverAt === undefined ? last?.guid : source.guidAt(passOverAt)) ?? null;
    const told: Told[] = [];
    store.transaction(() => {
      for (const row of rows) if (!store.inbound.knows(row.guid)) told.push(...this.#takeRow(row, at.epoch, now));
      store.epochs.moveCursor({ epoch: at.epoch, rowid, guid, newestMessageAt: newest });
      if (passOverAt !== undefined) this.#catchUp.end();
    });
    this.#at = { ...at, cursorRowid: rowid, cursorGuid: guid, newestMessageAt: newest };
    telemetry.rowsRead(rows.length);
    for (const tell of told) tell();
    if (told.length > 0) this.#o.onInbound();
    this.#watchParked();
  }

  #takeRow(row: ChatRow, epoch: number, now: number): Told[] {
    const { kind } = this.#classify(row);
    if (kind === 'own' || kind === 'event' || kind === 'skipped') return [];
    const threadId = threadOf(row);
    if (kind === 'incomplete' || threadId === undefined) return [this.#parked.park(row, epoch, now)];
    return [admit(this.#o, row, threadId, epoch, now)];
  }

  /**
   * The database was renumbered while it stayed open: another row stands at the cursor, or new rows appear below it,
   * which AUTOINCREMENT never does. A last ROWID that merely fell below the cursor is a deleted tail, unless there is
   * news in what is left.
   */
  #isRenumbered(source: MessageSource, at: EpochRow): boolean {
    const guid = source.guidAt(at.cursorRowid);
    if (guid !== undefined) return at.cursorGuid !== null && guid !== at.cursorGuid;
    const max = source.maxRowid();
    const before = this.#shortTail;
    this.#shortTail = max < at.cursorRowid ? max : undefined;
    if (this.#shortTail === undefined || max === before) return false;
    return before === undefined ? this.#isNewsAt(source, at, max) : max > before;
  }

  /** Whether the last rows have a message that was not taken in and is as young as the newest that was. */
  #isNewsAt(source: MessageSource, at: EpochRow, max: number): boolean {
    const since = at.newestMessageAt ?? this.#begunAt();
    return source.rowsAfter(max - WITNESSES, WITNESSES).some((row) => {
      const { kind } = this.#classify(row);
      const isYoung = row.dateAt !== undefined && row.dateAt >= since;
      return isYoung && (kind === 'message' || kind === 'incomplete') && !this.#o.store.inbound.knows(row.guid);
    });
  }

  /** When this agent's time began, ms since 1970. */
  #begunAt(): number {
    return Number(this.#o.store.meta.get('begun_at'));
  }

  #classify(row: ChatRow): Classified {
    const byGuid = (guid: string) => this.#source?.rowsByGuid([guid])[0];
    const isEcho = (other: ChatRow) => this.#isEcho(other);
    return classify(row, { isEcho, byGuid, recentOf: () => [], isFirstOfChat: () => false }, this.#o.privacy);
  }

  /** Messages may write our own bubble as one that came in and turn it round later (imsg #80). */
  #isEcho(row: ChatRow): boolean {
    const threadId = threadOf(row);
    const inFlight = this.#o.store.sends.inFlight();
    return inFlight.some((send) => send.threadId === threadId && sameText(send.text, row.text));
  }

  #lookAtParked(source: MessageSource): void {
    const { left, admitted } = this.#parked.look(source, this.epoch);
    if (admitted) this.#o.onInbound();
    if (left) this.#watchParked();
  }

  #watchParked(): void {
    if (this.#parkedTimer || this.#isStopped) return;
    this.#parkedTimer = this.#o.clock.after(PARKED_EVERY_MS, () => {
      this.#parkedTimer = undefined;
      this.#stepAlone(() => this.#look());
    });
  }

  #relookIn(ms: number): void {
    this.#timer?.cancel();
    if (!this.#isStopped) this.#timer = this.#o.clock.after(ms, () => this.#stepAlone(() => this.#look()));
  }
}

/** A date more than a day ahead is a wrong clock or a message to be sent later; it must not become the newest. */
function newer(max: number | null, dateAt: number | undefined, now: number): number | null {
  if (dateAt === undefined || dateAt > now + DAY_MS) return max;
  return Math.max(max ?? dateAt, dateAt);
}
