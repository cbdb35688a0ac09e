import type { ChatRow, FileIdentity } from '../chatdb/types.ts';
import { sameText } from '../messaging/reflex.ts';
import type { EpochRow } from '../state/Epochs.ts';
import type { SendRow } from '../state/SendRow.ts';
import type { StateStore } from '../state/StateStore.ts';
import type { Clock, Timer } from '../util/Clock.ts';
import { EdgeError, isStoreUnwilling } from '../util/EdgeError.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import type { AdmitOptions } from './admit.ts';
import { Batch, type BatchOptions, type SortedRow } from './Batch.ts';
import { isBehind, isOld, joinBurst } from './backfill.ts';
import { type Classified, classify, type Surroundings } from './classify.ts';
import type { MessageSource } from './MessageSource.ts';
import { GROUPS_WAIT_MS, LOOK_EVERY_MS, ParkedRows } from './ParkedRows.ts';
import { type Page, Position } from './Position.ts';
import type { PrivacyFilter } from './privacy.ts';
import { Told } from './Told.ts';
import { threadOf } from './toRequest.ts';

/** Rows taken in the first transaction; what one takes says how many the next does. */
export const BATCH_ROWS = 200;
const MOST_ROWS = 1_000;
/** How long a batch may keep the event loop, ms: a message to be sent waits no longer for a block to be read. */
const SLICE_MS = 16;
/** Rows of a block from one checkpoint of state.db to the next, each some 20 ms. */
const CHECKPOINT_ROWS = 2_000;
/** How long the batch stops before an incomplete row, ms, so that order holds while Messages finishes writing it. */
const INCOMPLETE_FOR_MS = 250;
/** From a message's date on, the time in which its body may follow its text column, ms. */
const BODY_LATE_MS = 10_000;
/** When an incomplete row is looked at again, ms after the look before; the last one repeats. */
const RELOOK_MS = [2, 8, 40, 50] as const;
/** When it is tried again after state.db refused, ms. */
const RETRY_MS = 1_000;
/** Groups whose earliest row so far is remembered; beyond that chat.db is asked again. */
const KNOWN_GROUPS = 10_000;

export interface IntakeOptions {
  store: StateStore;
  clock: Clock;
  telemetry: Telemetry;
  privacy: PrivacyFilter;
  /** For the log alone. */
  chatDbPath: string;
  answerMaxAgeSeconds: number;
  /** How long a message waits for its attachments to be downloaded. */
  attachmentWaitSeconds: number;
  /** Rows were written that may be posted, `backfill` of them old news, or one that held up its thread is done. */
  onInbound(backfill: number): void;
  /** A message was queued as it stood in chat.db; its text may still change. */
  onAdmitted?: (row: ChatRow) => void;
  /** As in AdmitOptions. */
  wantFiles?: AdmitOptions['wantFiles'];
  /** Events were written, or need not wait for their message any more. */
  onEvents?: () => void;
  /** chat.db could not be read, at a moment of intake's own choice; it is to be told of the change again. */
  onReadFailed(error: EdgeError): void;
}

/**
 * Takes the rows of chat.db in: each becomes what it is in the transaction that moves the cursor past it.
 * ```
 * row past the cursor ──own, event──▶ passed, the event written
 *                     ──no message to hand over──▶ done
 *                     ──whole──▶ pending
 *                     ──incomplete──▶ waited for, 250 ms ──▶ parked ──▶ pending | done | dead
 *                     ──without its file, or long after its time──▶ parked at once
 * ```
 */
export class Intake {
  readonly #o: IntakeOptions;
  readonly #parked: ParkedRows;
  readonly #position: Position;
  readonly #batch: BatchOptions;
  #source: MessageSource | undefined;
  #batchRows = BATCH_ROWS;
  #rowsSinceCheckpoint = 0;
  /** Incomplete rows of the batch, and since when (monotonic); at most MOST_ROWS. */
  #waitedFor = new Map<string, number>();
  #relooks = 0;
  #timer: Timer | undefined;
  #parkedTimer: { timer: Timer; at: number } | undefined;
  #isParkedDue = true;
  #isDraining = false;
  #isStopped = false;
  /** By identifier: the lowest ROWID that was asked about. */
  readonly #knownGroups = new Map<string, number>();
  /** Bubbles on their way out, asked once a step. */
  #inFlight: readonly SendRow[] | undefined;

  constructor(o: IntakeOptions) {
    this.#o = o;
    const isFirstOfGroup = (row: ChatRow) => this.#isFirstOfGroup(row);
    this.#parked = new ParkedRows({ ...o, isFirstOfGroup, classify: (row) => this.#classify(row) });
    this.#position = new Position({ ...o, isMessage: (row) => this.#isMessage(row) });
    this.#batch = {
      ...o,
      isFirstOfGroup,
      classify: (row) => this.#classify(row),
      onParked: (row, missing, verdict) => {
        const since = this.#waitedFor.get(row.guid);
        this.#parked.parked(row, { isUndecided: missing === 'company', verdict, since });
        o.telemetry.rowParked(row.guid, missing);
      },
    };
  }

  /** The number of the current epoch; 0 before the first. */
  get epoch(): number {
    return this.#position.epoch;
  }

  /** Whether `epoch` is that of the file that is open: ROWIDs of another mean nothing in it. */
  get isPlaced(): boolean {
    return this.#position.isFound;
  }

  /** chat.db was opened, for the first time or anew. @throws EdgeError EDGE_CHATDB_*: to be told again */
  opened(source: MessageSource, identity: FileIdentity): void {
    this.#position.opened(identity);
    this.changed(source);
  }

  /** Something in chat.db may have changed. @throws EdgeError EDGE_CHATDB_*: to be told again */
  changed(source: MessageSource): void {
    this.#source = source;
    this.#isParkedDue = true;
    this.#look();
  }

  /** Dead letters were taken back, those that were never whole into the park. */
  retry(): void {
    this.#isParkedDue = true;
    this.#stepAlone(() => this.#look());
    this.#o.onInbound(0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#parkedTimer?.timer.cancel();
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
    const source = this.#source;
    if (this.#isStopped || !source) return;
    this.#timer?.cancel();
    this.#inFlight = undefined;
    try {
      const at = this.#position.find(source);
      if (!at) return;
      if (this.#isParkedDue) this.#lookAtParked(source);
      const more = this.#takeBatch(source, at);
      if (!more) return;
      this.#isDraining = true;
      this.#goOn();
    } catch (error) {
      this.#refused(error);
    }
  }

  /** The next step, with a checkpoint before it in a turn of its own where one is due. */
  #goOn(): void {
    if (this.#rowsSinceCheckpoint < CHECKPOINT_ROWS) {
      setImmediate(() => this.#stepAlone(() => this.#step()));
      return;
    }
    this.#rowsSinceCheckpoint = 0;
    setImmediate(() => {
      if (!this.#isStopped) this.#o.store.checkpoint();
      this.#goOn();
    });
  }

  /** state.db takes nothing: the cursor has not moved, and the same is tried again. */
  #refused(error: unknown): void {
    if (!isStoreUnwilling(error)) throw error;
    this.#isParkedDue = true;
    this.#relookIn(RETRY_MS);
  }

  /** True when there may be more to take at once. */
  #takeBatch(source: MessageSource, at: EpochRow): boolean {
    const { clock } = this.#o;
    const startedAt = clock.monotonic();
    const page = this.#position.next(source, at, this.#batchRows);
    const sorted = this.#sort(page, at);
    const isWhole = sorted.length === page.rows.length;
    const isPassOver = page.rows.length === 0 && page.pass !== undefined;
    if (sorted.length > 0 || isPassOver) this.#take(sorted, source, at, page);
    if (isWhole) this.#relooks = 0;
    else this.#relookIn(RELOOK_MS[Math.min(this.#relooks++, RELOOK_MS.length - 1)]!);
    if (page.rows.length >= this.#batchRows) this.#adapt(clock.monotonic() - startedAt);
    return isPassOver || (isWhole && page.rows.length > 0);
  }

  #adapt(ms: number): void {
    const wanted = Math.min((this.#batchRows * SLICE_MS) / Math.max(ms, 1), this.#batchRows * 2);
    this.#batchRows = Math.round(Math.min(Math.max(wanted, BATCH_ROWS / 4), MOST_ROWS));
  }

  /**
   * The rows up to the first that is incomplete and was first seen less than INCOMPLETE_FOR_MS ago, or a group's behind
   * one that may be of the same, each with what it is. Each holds groups from when it was first seen: the rows of a page
   * wait together, not one after the other.
   */
  #sort(page: Page, at: EpochRow): SortedRow[] {
    const now = this.#o.clock.monotonic();
    const { rows } = page;
    const known = this.#o.store.inbound.knownOf(rows.map(({ guid }) => guid));
    const waitedFor = new Map<string, number>();
    let holdsGroups = this.#parked.holdsGroups();
    let end: number | undefined;
    const sorted = rows.map((row, index): SortedRow => {
      const isKnown = known.has(row.guid) || this.#position.isHistory(page, row);
      if (isKnown) return { row, isKnown, classified: { kind: 'own' } };
      const classified = this.#classify(row);
      // A download takes as long as it takes, and holds up its own thread only.
      if (classified.kind === 'incomplete' && classified.missing !== 'download' && !this.#isFinal(classified, row)) {
        const since = this.#waitedFor.get(row.guid) ?? now;
        waitedFor.set(row.guid, since);
        if (now - since < INCOMPLETE_FOR_MS) end ??= index;
        if (now - since < GROUPS_WAIT_MS && this.#mayBeOfGroup(row, at)) holdsGroups = true;
      } else if (holdsGroups && row.chat?.isGroup) end ??= index;
      return { row, isKnown, classified };
    });
    this.#waitedFor = waitedFor;
    return end === undefined ? sorted : sorted.slice(0, end);
  }

  /**
   * Whether a row without its chat holds groups up: whatever its age, unless it is or may be backfill. A Mac that wakes
   * is brought live messages of minutes and hours ago, and old rows that never had a chat are no reason to wait.
   */
  #mayBeOfGroup({ chat, dateAt }: ChatRow, at: EpochRow): boolean {
    if (chat !== undefined) return false;
    const now = this.#o.clock.now();
    const burst = joinBurst(at, now, this.#newestAt(at));
    return !isOld({ dateAt, now, answerMaxAgeSeconds: this.#o.answerMaxAgeSeconds }) && !isBehind(burst, dateAt);
  }

  /** Before the first message it is the agent's beginning that tells old from new. */
  #newestAt(at: EpochRow): number {
    return at.newestMessageAt ?? this.#position.begunAt;
  }

  /** A text that has stood without a body for longer than Messages takes is not waited for: old rows have none. */
  #isFinal({ isReadable }: Extract<Classified, { kind: 'incomplete' }>, { dateAt }: ChatRow): boolean {
    return isReadable && dateAt !== undefined && this.#o.clock.now() - dateAt > BODY_LATE_MS;
  }

  /** One transaction: the rows and the cursor past them, or past the whole pass. */
  #take(sorted: readonly SortedRow[], source: MessageSource, at: EpochRow, page: Page): void {
    const { store, clock, telemetry } = this.#o;
    const told = new Told();
    const isPass = page.pass !== undefined;
    const start = { epoch: at.epoch, now: clock.now(), burst: at, newestAt: this.#newestAt(at), told, isPass };
    const moved = store.transaction(() => {
      const batch = new Batch(this.#batch, start);
      batch.take(sorted);
      const { burst, newestAt: newestMessageAt } = batch;
      return this.#position.move(source, at, page, { last: sorted.at(-1)?.row, newestMessageAt, burst });
    });
    moved();
    this.#rowsSinceCheckpoint += sorted.length;
    telemetry.rowsRead(sorted.length);
    this.#tell(told);
    if (told.hasDecided) this.#isParkedDue = true;
    if (told.hasParked) this.#watchParked(LOOK_EVERY_MS);
  }

  #tell(told: Told): void {
    told.tell(this.#o.telemetry);
    if (told.isNews) this.#o.onInbound(told.backfill);
    if (told.hasEvents) this.#o.onEvents?.();
  }

  #lookAtParked(source: MessageSource): void {
    this.#isParkedDue = false;
    const told = new Told();
    const nextMs = this.#parked.look(source, told);
    this.#tell(told);
    if (nextMs !== undefined) this.#watchParked(nextMs);
  }

  #watchParked(ms: number): void {
    const at = this.#o.clock.monotonic() + ms;
    if (this.#isStopped || (this.#parkedTimer && this.#parkedTimer.at <= at)) return;
    this.#parkedTimer?.timer.cancel();
    const timer = this.#o.clock.after(ms, () => {
      this.#parkedTimer = undefined;
      this.#isParkedDue = true;
      this.#stepAlone(() => this.#look());
    });
    this.#parkedTimer = { timer, at };
  }

  #relookIn(ms: number): void {
    this.#timer?.cancel();
    if (!this.#isStopped) this.#timer = this.#o.clock.after(ms, () => this.#stepAlone(() => this.#look()));
  }

  #classify(found: ChatRow): Classified {
    const source = this.#source!;
    const row = this.#aimed(found);
    const around: Surroundings = {
      isEcho: (other) => this.#isEcho(other),
      byGuid: (guid) => source.rowsByGuid([guid])[0],
      recentOf: (other, limit) =>
        source.recentOf(other, limit).map((one) => ({ ...one, guid: this.#o.store.changes.guidOf(one.guid) })),
      isFirstOfChat: (other) => source.isFirstOfChat(other),
    };
    return classify(row, around, this.#o.privacy);
  }

  /** A reaction names its message as the backend knows it, whatever iCloud calls it now. */
  #aimed(row: ChatRow): ChatRow {
    const { association } = row;
    if (association?.targetGuid === undefined) return row;
    return {
      ...row,
      association: { ...association, targetGuid: this.#o.store.changes.guidOf(association.targetGuid) },
    };
  }

  #isMessage(row: ChatRow): boolean {
    const { kind } = this.#classify(row);
    return kind === 'message' || kind === 'incomplete';
  }

  /** Messages may write our own bubble as one that came in and turn it round later (imsg #80). */
  #isEcho(row: ChatRow): boolean {
    this.#inFlight ??= this.#o.store.sends.inFlight();
    if (this.#inFlight.length === 0) return false;
    const threadId = threadOf(row);
    return this.#inFlight.some((send) => send.threadId === threadId && sameText(send.text, row.text));
  }

  /** A row that was parked is asked about after those behind it. */
  #isFirstOfGroup(row: ChatRow): boolean {
    const { identifier } = row.chat!;
    const later = this.#knownGroups.get(identifier);
    if (later !== undefined && row.rowid >= later) return false;
    // Not remembered: the transaction that tells of the group may fail, and then the row is looked at again.
    if (this.#source!.isFirstOfChat(row)) return true;
    if (this.#knownGroups.size >= KNOWN_GROUPS) this.#knownGroups.clear();
    this.#knownGroups.set(identifier, row.rowid);
    return false;
  }
}
