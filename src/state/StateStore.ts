import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database, Statement } from 'better-sqlite3';
import { EdgeError, isStoreUnwilling, messageOf } from '../util/EdgeError.ts';
import { Changes } from './Changes.ts';
import { Commands } from './Commands.ts';
import { Epochs } from './Epochs.ts';
import { Events } from './Events.ts';
import { Forgotten, type ForgottenTime } from './Forgotten.ts';
import { HighWater } from './HighWater.ts';
import { Inbound } from './Inbound.ts';
import { knownBefore } from './knownBefore.ts';
import { Meta } from './Meta.ts';
import { MutedThreads } from './MutedThreads.ts';
import { OutgoingFiles } from './OutgoingFiles.ts';
import { openDatabase, openReadOnly } from './openDatabase.ts';
import { Schedules } from './Schedules.ts';
import { SendPace } from './SendPace.ts';
import { Sends } from './Sends.ts';
import { SpentRows } from './SpentRows.ts';
import { Traffic } from './Traffic.ts';
import { Uploads } from './Uploads.ts';

/**
 * How long finished rows stay, days. Guids outlive the longest outage after which a Mac may replay them; command ids are
 * kept by number, not by age, because a command is executed once, ever.
 */
export const KEEP_DAYS = { texts: 7, rows: 90 } as const;
/** Rows deleted a call: a short transaction, so that nothing waits behind it. */
const PRUNE_BATCH = 500;
const DAY_MS = 86_400_000;

/** SQLite's words for files that this user may not write. */
const NOT_OURS: ReadonlySet<string> = new Set(['SQLITE_READONLY', 'SQLITE_CANTOPEN', 'SQLITE_PERM', 'SQLITE_AUTH']);

/** Told of trouble with the file, so that one place can raise the alarm whoever was writing. */
export interface StoreObserver {
  /** EDGE_STATE_IO: stop, since later commits may seem to succeed without being stored. Any other code: try later. */
  failed(error: EdgeError): void;
  /** A transaction that wrote something went through after one had failed. */
  recovered(): void;
  /** Somebody waits for `look`. */
  awaited(): void;
  closed(): void;
}

/** The memory of the agent: everything that must survive it. */
export class StateStore {
  readonly epochs: Epochs;
  readonly inbound: Inbound;
  readonly sends: Sends;
  readonly sendPace: SendPace;
  readonly commands: Commands;
  readonly schedules: Schedules;
  readonly events: Events;
  readonly changes: Changes;
  readonly meta: Meta;
  readonly mutedThreads: MutedThreads;
  readonly spentRows: SpentRows;
  readonly outgoingFiles: OutgoingFiles;
  readonly uploads: Uploads;
  readonly traffic: Traffic;
  /** Where a damaged predecessor was put at opening. */
  readonly quarantined: string | undefined;
  /** At opening it knew of fewer bubbles than were begun. */
  readonly isBehind: boolean;
  readonly #db: Database;
  readonly #observer: StoreObserver | undefined;
  /** Undefined for a store that is only read. */
  readonly #file: { path: string; ino: number } | undefined;
  readonly #highWater: HighWater | undefined;
  readonly #forgotten: Forgotten | undefined;
  #isFailing = false;
  readonly #totalChanges: Statement;
  readonly #afterCommit: (() => void)[] = [];
  readonly #whenWritable = new Set<() => void>();

  private constructor(o: {
    db: Database;
    path?: string;
    quarantined?: string | undefined;
    observer?: StoreObserver | undefined;
    highWater?: HighWater;
    forgotten?: Forgotten;
    isBehind?: boolean;
  }) {
    const { db } = o;
    this.#db = db;
    this.#observer = o.observer;
    this.#file = o.path === undefined ? undefined : { path: o.path, ino: statSync(o.path).ino };
    this.quarantined = o.quarantined;
    this.isBehind = o.isBehind ?? false;
    this.#highWater = o.highWater;
    this.#forgotten = o.forgotten;
    this.#totalChanges = db.prepare('SELECT total_changes()').pluck();
    this.epochs = new Epochs(db);
    this.inbound = new Inbound(db);
    this.sends = new Sends(db);
    this.sendPace = new SendPace(db);
    this.commands = new Commands(db);
    this.schedules = new Schedules(db);
    this.events = new Events(db);
    this.changes = new Changes(db);
    this.meta = new Meta(db);
    this.mutedThreads = new MutedThreads(db);
    this.spentRows = new SpentRows(db);
    this.outgoingFiles = new OutgoingFiles(db);
    this.uploads = new Uploads(db);
    this.traffic = new Traffic(db);
  }

  /** Opens or creates the file at `path`. @throws EdgeError, see openDatabase */
  static open(path: string, now: number, observer?: StoreObserver): StateStore {
    try {
      const { db, quarantined } = openDatabase(path, now);
      const highWater = new HighWater(join(dirname(path), 'high-water'));
      const forgotten = new Forgotten(new Meta(db), highWater);
      const isAnew = quarantined !== undefined;
      const isBehind = db
        .transaction(() => {
          const hasForgotten = forgotten.compare({ now, isAnew, lastBegunAt: new Sends(db).lastBegunAt() });
          forgotten.doubt(now, knownBefore(db, now));
          return hasForgotten;
        })
        .immediate();
      return new StateStore({ db, path, quarantined, observer, highWater, forgotten, isBehind });
    } catch (error) {
      throw translate(error);
    }
  }

  /** Opens an existing file for reading only. */
  static openReadOnly(path: string): StateStore {
    return new StateStore({ db: openReadOnly(path) });
  }

  /**
   * Runs `work` in one durable transaction; what it throws rolls everything back. A nested call is part of the outer
   * one, and what it throws rolls back the nested part.
   * @throws EdgeError EDGE_STATE_FULL, EDGE_STATE_BUSY, EDGE_STATE_DIR (nothing was written; try later), EDGE_STATE_IO
   * (stop: later writes would lie)
   */
  transaction<T>(work: () => T): T {
    if (this.#db.inTransaction) return this.#savepoint(work);
    let result: T;
    const before = this.#written;
    try {
      this.#checkFile();
      result = this.#db.transaction(work).immediate();
    } catch (cause) {
      this.#afterCommit.length = 0;
      const error = translate(cause);
      if (error instanceof EdgeError && (isStoreUnwilling(error) || error.code === 'EDGE_STATE_IO')) {
        this.#isFailing = true;
        this.#observer?.failed(error);
      }
      throw error;
    }
    const due = this.#afterCommit.splice(0);
    // One that writes nothing says nothing about room on the disk.
    if (this.#isFailing && this.#written !== before) {
      this.#isFailing = false;
      this.#observer?.recovered();
    }
    // Each in a turn of its own: what one of them throws says nothing about this transaction, which is through.
    for (const act of due) queueMicrotask(act);
    return result;
  }

  /** Rows written since the file was opened; not counted where nobody asks. */
  get #written(): number {
    return this.#isFailing ? (this.#totalChanges.get() as number) : 0;
  }

  /** A transaction within another: what it throws undoes its own writes and nothing before them. */
  #savepoint<T>(work: () => T): T {
    const before = this.#afterCommit.length;
    try {
      return this.#db.transaction(work)();
    } catch (error) {
      this.#afterCommit.length = before;
      throw translate(error);
    }
  }

  /**
   * Runs `act` when the transaction under way has been committed, at once when there is none, not at all when it is
   * rolled back: no effect on the world may come before the row that remembers it.
   */
  afterCommit(act: () => void): void {
    if (this.#db.inTransaction) this.#afterCommit.push(act);
    else act();
  }

  /**
   * Runs `act` once, after the next `look` that goes through; the same function is remembered once. For what could not be
   * noted and is to come again: no more often than `look`, and without a try of its own each.
   */
  whenWritable(act: () => void): void {
    this.#whenWritable.add(act);
    this.#observer?.awaited();
  }

  /** Writes something, so that it shows whether writes go through. @throws EdgeError as `transaction` */
  look(now: number): void {
    this.transaction(() => this.meta.set('looked_at', String(now)));
    for (const act of this.#whenWritable) queueMicrotask(act);
    this.#whenWritable.clear();
  }

  /** The time in which bubbles were begun that this file knows nothing of; undefined when there is none. */
  get forgotten(): ForgottenTime | undefined {
    return this.#forgotten?.time;
  }

  /** The time before this start in which bubbles may have been begun without a trace here; see state/Forgotten.ts. */
  get unsure(): ForgottenTime | undefined {
    return this.#forgotten?.unsure;
  }

  /** Remembers and counts, in the caller's transaction, a bubble that osascript starts for next. See Sends.markSending. */
  noteBubble(...bubble: Parameters<Sends['markSending']>): void {
    this.sends.markSending(...bubble);
    this.#forgotten?.count();
  }

  /** That transaction is through, and osascript has not started yet. */
  bubbleNoted(): void {
    this.#forgotten?.counted();
  }

  /**
   * Messages that were done with before this are not known any more, ms since 1970. What was deleted by a clock that was
   * ahead counts as deleted until 90 days ago: since then others have come.
   */
  forgottenBefore(now: number): number {
    return Math.min(this.#prunedBefore, now - KEEP_DAYS.rows * DAY_MS);
  }

  get #prunedBefore(): number {
    return Number(this.meta.get('pruned_before') ?? 0);
  }

  /** Deletes a batch of what retention no longer keeps; returns how much it was, 0 when there is nothing left to do. */
  prune(now: number): number {
    const texts = now - KEEP_DAYS.texts * DAY_MS;
    const rows = now - KEEP_DAYS.rows * DAY_MS;
    return this.transaction(() => {
      if (rows > this.#prunedBefore) this.meta.set('pruned_before', String(rows));
      return (
        this.inbound.prune(texts, rows, PRUNE_BATCH) +
        this.sends.prune(texts, rows, PRUNE_BATCH) +
        this.commands.prune(texts, PRUNE_BATCH) +
        this.schedules.prune(texts, rows, PRUNE_BATCH) +
        this.events.prune(texts, rows, PRUNE_BATCH) +
        this.mutedThreads.prune(texts, PRUNE_BATCH) +
        this.spentRows.prune(rows, PRUNE_BATCH) +
        this.uploads.prune(rows, PRUNE_BATCH) +
        this.outgoingFiles.prune(rows, PRUNE_BATCH)
      );
    });
  }

  /**
   * Brings what was committed from the WAL into the file, at a moment when nobody waits: within a commit it would make
   * that one long. Durable it is without.
   */
  checkpoint(): void {
    try {
      this.#db.pragma('wal_checkpoint(PASSIVE)');
    } catch {
      // As SQLite does with its own: nothing is lost, and what is wrong with the disk shows at the next commit.
    }
  }

  close(): void {
    this.#db.close();
    this.#highWater?.close();
    this.#observer?.closed();
  }

  /** SQLite goes on in a file that was deleted or replaced, and what it stores there is lost with the process. */
  #checkFile(): void {
    if (!this.#file) return;
    const { path, ino } = this.#file;
    if (statSync(path, { throwIfNoEntry: false })?.ino === ino) return;
    throw new EdgeError('EDGE_STATE_IO', `${path} is not the file that was opened: it was moved, deleted or replaced`);
  }
}

function translate(error: unknown): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string' || error instanceof EdgeError) return error;
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT')
    return new EdgeError('EDGE_STATE_FULL', messageOf(error), { cause: error });
  if (code.startsWith('SQLITE_BUSY')) return new EdgeError('EDGE_STATE_BUSY', messageOf(error), { cause: error });
  if (code.startsWith('SQLITE_IOERR') || code.startsWith('SQLITE_CORRUPT')) {
    return new EdgeError('EDGE_STATE_IO', `${code}: ${messageOf(error)}`, { cause: error });
  }
  if (NOT_OURS.has(code.split('_').slice(0, 2).join('_')) || code === 'EPERM' || code === 'EACCES') {
    return new EdgeError('EDGE_STATE_DIR', `cannot write state.db: ${messageOf(error)}`, { cause: error });
  }
  return error;
}
