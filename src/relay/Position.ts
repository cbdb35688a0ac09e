import type { ChatRow, FileIdentity } from '../chatdb/types.ts';
import type { Burst, EpochRow } from '../state/Epochs.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock } from '../util/Clock.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { CatchUp, type Pass } from './CatchUp.ts';
import { chooseEpoch } from './chooseEpoch.ts';
import type { MessageSource } from './MessageSource.ts';

/** Rows asked where they stood, when the one at the cursor is gone. */
const WITNESSES = 20;
const DAY_MS = 86_400_000;
/** By how much the date of a message may be ahead of this Mac's clock, which bounds the newest date that is kept, ms. */
const AHEAD_MS = 3_600_000;

export interface PositionOptions {
  store: StateStore;
  clock: Clock;
  telemetry: Telemetry;
  /** For the log alone. */
  chatDbPath: string;
  /** Whether a row is one that would be taken in. */
  isMessage(row: ChatRow): boolean;
}

/** The next rows to take, and the pass they belong to. No rows: the pass, or the file, is at its end. */
export interface Page {
  readonly rows: readonly ChatRow[];
  readonly pass: Pass | undefined;
}

/** Which epoch the open chat.db belongs to and how far it was taken in. */
export class Position {
  readonly #o: PositionOptions;
  readonly #catchUp: CatchUp;
  #identity: FileIdentity | undefined;
  /** The latest epoch as stored; undefined until it is known which one the open file belongs to. */
  #at: EpochRow | undefined;
  /** Last ROWID of a file whose tail was deleted, while it lies before the cursor. */
  #shortTail: number | undefined;
  /** A damaged file is opened again and again, which is no news. */
  #wasToldOf = false;

  constructor(o: PositionOptions) {
    this.#o = o;
    this.#catchUp = new CatchUp(o.store);
  }

  /** The number of the current epoch; 0 before the first. */
  get epoch(): number {
    return (this.#at ?? this.#o.store.epochs.latest())?.epoch ?? 0;
  }

  /** Whether that is the epoch of the file that was opened last: until state.db has taken a new one it is not. */
  get isFound(): boolean {
    return this.#at !== undefined;
  }

  /** When this agent's time began, ms since 1970. */
  get begunAt(): number {
    return Number(this.#o.store.meta.get('begun_at'));
  }

  opened(identity: FileIdentity): void {
    this.#identity = identity;
    this.#at = undefined;
  }

  /** Where the file stands; undefined before it was opened. Finds or starts its epoch. */
  find(source: MessageSource): EpochRow | undefined {
    if (!this.#identity) return undefined;
    this.#at ??= this.#begin(source, this.#identity, false);
    if (this.#isRenumbered(source, this.#at)) this.#at = this.#begin(source, this.#identity, true);
    return this.#at;
  }

  next(source: MessageSource, at: EpochRow, limit: number): Page {
    const pass = this.#catchUp.of(at.epoch);
    const rows = pass ? this.#catchUp.rows(pass, source, at, limit) : source.rowsAfter(at.cursorRowid, limit);
    return { rows, pass };
  }

  /** Whether a row of the page is from before the agent's time. */
  isHistory({ pass }: Page, row: ChatRow): boolean {
    return pass !== undefined && this.#catchUp.isHistory(pass, row);
  }

  /**
   * Moves the cursor past `last`, or past the whole pass where there is none, within the caller's transaction. What it
   * returns is to be called when that is through.
   */
  move(
    source: MessageSource,
    at: EpochRow,
    { pass }: Page,
    to: { last: ChatRow | undefined; newestMessageAt: number | null; burst: Burst },
  ): () => void {
    const { epochs } = this.#o.store;
    const { last, newestMessageAt, burst } = to;
    const rowid = last?.rowid ?? pass?.untilRowid ?? at.cursorRowid;
    const guid = (last ? last.guid : source.guidAt(rowid)) ?? null;
    epochs.moveCursor({ epoch: at.epoch, rowid, guid, newestMessageAt });
    if (burst.burstAt !== at.burstAt || burst.burstBehind !== at.burstBehind) epochs.setBurst(at.epoch, burst);
    if (!last && pass) this.#catchUp.end();
    return () => {
      this.#at = { ...at, ...burst, cursorRowid: rowid, cursorGuid: guid, newestMessageAt };
    };
  }

  #begin(source: MessageSource, identity: FileIdentity, isRenumbered: boolean): EpochRow {
    const { store, clock, telemetry, chatDbPath: path } = this.#o;
    const { epochs, inbound } = store;
    const last = epochs.latest();
    const witnesses = last ? inbound.newestOf(last.epoch, WITNESSES) : [];
    const choice = isRenumbered ? 'new' : chooseEpoch(last, witnesses, source, identity);
    const now = clock.now();
    const begunAt = this.begunAt;
    // Read before the dates: what is written in between lies past it.
    const untilRowid = source.maxRowid();
    store.transaction(() => {
      if (choice === 'first' && source.rowsSince(begunAt, 0, 1).length === 0) {
        const guid = source.guidAt(untilRowid) ?? null;
        epochs.start({ ...identity, rowid: untilRowid, guid, newestMessageAt: null, now });
      } else if (choice === 'first' || choice === 'new') {
        const newestMessageAt = last?.newestMessageAt ?? null;
        const epoch = epochs.start({ ...identity, rowid: 0, guid: null, newestMessageAt, now });
        // A block goes on in the file that takes the place of the one it began in.
        if (last) epochs.setBurst(epoch, last);
        const unfinished = last && this.#catchUp.of(last.epoch);
        const sinceAt = Math.max(this.#lookBackTo(newestMessageAt ?? begunAt, now, unfinished), begunAt);
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

  /**
   * Messages come late, and those of the last day are known where they come again. Once retention has deleted what they
   * are known by, only what is newer than the newest can be news. A pass that is not through has come upon the newest,
   * perhaps, and not yet upon what is older.
   */
  #lookBackTo(newestAt: number, now: number, unfinished: Pass | undefined): number {
    const from = Math.min(newestAt - DAY_MS, unfinished?.sinceAt ?? newestAt);
    return Math.max(from, Math.min(this.#o.store.forgottenBefore(now), newestAt + AHEAD_MS));
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
    const since = at.newestMessageAt ?? this.begunAt;
    return source.rowsAfter(max - WITNESSES, WITNESSES).some((row) => {
      const isYoung = row.dateAt !== undefined && row.dateAt >= since;
      return isYoung && this.#o.isMessage(row) && !this.#o.store.inbound.knows(row.guid);
    });
  }
}
