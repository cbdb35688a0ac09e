import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock, Timer } from '../util/Clock.ts';
import { EdgeError, messageOf } from '../util/EdgeError.ts';
import type { ErrorCode } from '../util/errors.ts';
import type { Telemetry } from '../util/Telemetry.ts';
import { ChatDb } from './ChatDb.ts';
import type { FileIdentity } from './types.ts';

/** Time between looks that no file event asked for, ms. */
const POLL_MS = 1000;

/**
 * A file event comes when the WAL is written, the commit is visible only some time later and makes no event of its own;
 * so each event is followed by looks after 2, 10 and 50 ms, and after 150, 400 and 1000 ms for a disk that takes long to
 * sync. These are the gaps between them.
 */
const FOLLOW_UP_GAPS_MS = [2, 8, 40, 100, 250, 600] as const;

/** An event this soon after a look starts none of its own, ms: one commit makes several events. */
const MIN_GAP_MS = 1;

/** A lock that lasts longer than this is reported, ms. Shorter ones are the normal life of a database. */
const BUSY_REPORTED_AFTER_MS = 5000;

/**
 * Keeps chat.db open and says when it has changed.
 *
 * ```
 *  start()          opened: onOpen, onChange
 * ────────▶ waiting ───────────────────────▶ open ──┐ data_version moved: onChange
 *            ▲  ▲ │ not there, no permission,  │ ▲  │ busy: looked at again
 *            │  └─┘ bad schema, busy …         │ └──┘
 *            └─────────────────────────────────┘
 *              another file at the path (opened at once), none
 * ```
 * After a damaged page or a read error it stays open, for whoever does not need that page, and is opened anew at each
 * poll: pages once read stay in SQLite's cache, and a file put right behind its back would look damaged for ever.
 *
 * Every look, by file event, follow-up, poll or caller, runs through the same steps, so a lost event costs at most
 * `pollMs`. Trouble stands as a condition of its code until a look has gone through. An opening or a change counts as told
 * when onOpen or onChange has returned; if it throws an EDGE_CHATDB error it is told again, any other error is the
 * caller's.
 */
export class ChatDbFeed {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #onOpen: (db: ChatDb, identity: FileIdentity) => void;
  readonly #onChange: (db: ChatDb) => void;
  readonly #pollMs: number;
  #poll: Timer | undefined;
  #followUp: Timer | undefined;
  #watcher: FSWatcher | undefined;
  #isWatchRefused = false;
  #db: ChatDb | undefined;
  #identity: FileIdentity | undefined;
  /** onOpen has dealt with the file that is open. */
  #isOpenTold = false;
  /** A read failed: to be opened anew. */
  #isSuspect = false;
  /** The data_version onChange has dealt with. */
  #version: number | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #busySince: number | undefined;
  #condition: ErrorCode | undefined;
  #lacks: readonly string[] = [];
  /** Sets of missing features that were told. */
  readonly #toldLacks = new Set<string>();

  constructor(options: {
    path: string;
    clock: Clock;
    telemetry: Telemetry;
    onOpen: (db: ChatDb, identity: FileIdentity) => void;
    onChange: (db: ChatDb) => void;
    /** @default 1000 */
    pollMs?: number;
  }) {
    this.#path = options.path;
    this.#clock = options.clock;
    this.#telemetry = options.telemetry;
    this.#onOpen = options.onOpen;
    this.#onChange = options.onChange;
    this.#pollMs = options.pollMs ?? POLL_MS;
  }

  /** Undefined while chat.db cannot be opened. */
  get db(): ChatDb | undefined {
    return this.#db;
  }

  /** What does not work because columns are missing, as last seen; a damaged file cannot be asked. */
  get lacks(): readonly string[] {
    return this.#lacks;
  }

  start(): void {
    this.#poll ??= this.#clock.every(this.#pollMs, () => this.look());
    this.look();
  }

  stop(): void {
    this.#poll?.cancel();
    this.#poll = undefined;
    this.#followUp?.cancel();
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#close();
  }

  /** Looks now, as after a wake; does nothing before start and after stop. */
  look(): void {
    if (!this.#poll) return;
    this.#lookedAt = this.#clock.monotonic();
    try {
      if (!this.#watcher) this.#watch();
      if (this.#db && (this.#isSuspect || !this.#isStillThere(this.#db))) this.#close();
      if (!this.#db) this.#open();
      this.#tellOpen();
      this.#tellChange();
      this.#recovered();
    } catch (error) {
      if (!(error instanceof EdgeError) || !error.code.startsWith('EDGE_CHATDB_')) throw error;
      this.#failed(error.code, error.message);
    }
  }

  /** A reader met trouble outside onOpen and onChange. The change is told again, from a file opened anew if need be. */
  readFailed(error: EdgeError): void {
    if (!this.#db) return; // closed meanwhile: it is known why
    this.#version = undefined;
    this.#failed(error.code, error.message);
  }

  #isStillThere(db: ChatDb): boolean {
    const now = db.identityOnDisk();
    return now?.ino === this.#identity?.ino && now?.dev === this.#identity?.dev;
  }

  #open(): void {
    const db = new ChatDb({ path: this.#path });
    const identity = db.open();
    // The directory may be another one too, and a watcher follows the old.
    this.#watch();
    this.#db = db;
    this.#identity = identity;
    this.#isOpenTold = false;
  }

  #tellOpen(): void {
    if (this.#isOpenTold || !this.#db || !this.#identity) return;
    this.#onOpen(this.#db, this.#identity);
    this.#isOpenTold = true;
  }

  #tellChange(): void {
    const db = this.#db;
    if (!db) return; // stopped by onOpen
    // Read before the rows: a commit in between shows as another version at the next look.
    const version = db.dataVersion();
    if (version === this.#version) return;
    this.#version = undefined;
    this.#tellLacks(db.lacks);
    this.#onChange(db);
    this.#version = version;
  }

  #tellLacks(lacks: readonly string[]): void {
    this.#lacks = lacks;
    const key = lacks.join('\n');
    if (key === '' || this.#toldLacks.has(key)) return;
    this.#toldLacks.add(key);
    this.#telemetry.chatdbLacks(lacks);
  }

  #recovered(): void {
    this.#busySince = undefined;
    this.#setCondition(undefined);
  }

  #failed(code: ErrorCode, detail: string): void {
    if (!this.#poll) return;
    if (code === 'EDGE_CHATDB_BUSY') {
      this.#busySince ??= this.#clock.monotonic();
      if (this.#clock.monotonic() - this.#busySince < BUSY_REPORTED_AFTER_MS) return;
    } else {
      this.#isSuspect = this.#db !== undefined;
    }
    this.#setCondition(code, detail);
  }

  #setCondition(code: ErrorCode | undefined, detail = ''): void {
    if (code === this.#condition) return;
    if (this.#condition) this.#telemetry.conditionCleared(this.#condition);
    this.#condition = code;
    if (code) this.#telemetry.conditionRaised(code, detail);
  }

  #close(): void {
    this.#db?.close();
    this.#db = undefined;
    this.#identity = undefined;
    this.#isSuspect = false;
    this.#version = undefined;
  }

  /** Watches the directory, not the WAL: a watch on a file follows its inode, and the WAL is deleted and made anew. */
  #watch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    const name = basename(this.#path);
    try {
      const watcher = watch(dirname(this.#path), (_event, file) => {
        if (file === null || file.startsWith(name)) this.#touched();
      });
      watcher.on('error', (error) => {
        if (this.#watcher === watcher) this.#watcher = undefined; // the next look makes another
        watcher.close();
        this.#watchRefused(error);
      });
      this.#watcher = watcher;
      this.#isWatchRefused = false;
    } catch (error) {
      // Without the directory or the permission, opening fails as well and says it better.
      if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(String((error as { code?: unknown }).code))) {
        this.#watchRefused(error);
      }
    }
  }

  #watchRefused(error: unknown): void {
    if (this.#isWatchRefused) return;
    this.#isWatchRefused = true;
    this.#telemetry.failure('EDGE_CHATDB_READ', `no file events, polling goes on: ${messageOf(error)}`);
  }

  #touched(): void {
    // Opening and closing a database makes events too: one that cannot be opened would be tried without pause.
    if (this.#isSuspect || (!this.#db && this.#condition !== 'EDGE_CHATDB_MISSING')) return;
    if (this.#clock.monotonic() - this.#lookedAt >= MIN_GAP_MS) this.look();
    this.#armFollowUp(0);
  }

  #armFollowUp(step: number): void {
    this.#followUp?.cancel();
    const gap = FOLLOW_UP_GAPS_MS[step];
    if (gap === undefined || !this.#poll || this.#isSuspect) return;
    this.#followUp = this.#clock.after(gap, () => {
      this.look();
      this.#armFollowUp(step + 1);
    });
  }
}
