import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { EdgeError } from '../util/EdgeError.ts';
import { sinceParameters } from './appleDate.ts';
import { chatDbError } from './chatDbError.ts';
import {
  attachmentsOf,
  type Connection,
  chatAt,
  chatInfo,
  forgetOldChats,
  pageOf,
  prepare,
  type Statements,
  sizeOf,
  versionOf,
} from './connection.ts';
import { buildQueries } from './queries.ts';
import type { RawChat, RawMessage, RawPastMessage, RawReceiptState } from './rawRows.ts';
import { revisionPage } from './revisionWalk.ts';
import { toChatRow, toPastMessage, toReceiptState } from './rows.ts';
import { probeSchema } from './schemaProbe.ts';
import type {
  ChatRow,
  FileIdentity,
  PastMessage,
  ReceiptState,
  RevisionPage,
  RevisionPlace,
  ThreadChat,
} from './types.ts';

/** Longest a read waits for another connection, ms. The wait blocks the event loop, so it is short. */
const BUSY_MS = 50;
/** Pages kept in memory, KiB: new rows are read once, and what leads to them is little. */
const CACHE_KIB = 1024;
/** Texts, bodies, payloads and summaries in one page, bytes: a page ends with the row that passes it. */
const PAGE_BYTES = 8 * 1024 * 1024;
/** All that were asked for by name. */
const WHOLE = { maxBytes: Number.POSITIVE_INFINITY };
/** Rows looked at for each message of the past that is asked for: tapbacks lie between them. */
const EXAMINED_PER_MESSAGE = 4;

/**
 * One read-only connection to one chat.db. Never writes and never opens `immutable`, which would hide the WAL and with
 * it every new message. Each method reads in statements of its own, so that no long read transaction keeps Messages from
 * checkpointing. All methods but `close` throw EdgeError EDGE_CHATDB_MISSING, _NO_PERMISSION, _CORRUPT, _SCHEMA, _BUSY
 * or _READ.
 *
 * Pages of rows (`limit`) may be shorter than asked for where bodies are large: only an empty one means the end.
 */
export class ChatDb {
  readonly #path: string;
  #connection: Connection | undefined;

  constructor(options: { path: string }) {
    this.#path = options.path;
  }

  /** Opens the file, probes its schema and reads a row: without Full Disk Access all before that may seem to work. */
  open(): FileIdentity {
    this.close();
    const identity = this.identityOnDisk();
    if (!identity) throw new EdgeError('EDGE_CHATDB_MISSING', `there is no file ${this.#path}`);
    let db: Database.Database | undefined;
    try {
      this.#refuseEmpty();
      db = new Database(this.#path, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
      db.pragma(`cache_size = -${CACHE_KIB}`);
      const schema = probeSchema(db, this.#path);
      const statements = prepare(db, buildQueries(schema));
      statements.rowsAfter.get({ rowid: 0, limit: 1 });
      const now = this.identityOnDisk();
      if (!now || now.ino !== identity.ino || now.dev !== identity.dev) {
        throw new EdgeError('EDGE_CHATDB_READ', `${this.#path} was replaced while it was opened`);
      }
      this.#connection = { db, statements, lacks: schema.lacks, chats: new Map(), chatsVersion: Number.NaN };
      return identity;
    } catch (error) {
      db?.close();
      throw chatDbError(this.#path, error);
    }
  }

  /** SQLite takes an empty file for a new database and deletes the -wal beside it, though it may only read (pager.c). */
  #refuseEmpty(): void {
    if (statSync(this.#path).size === 0) throw new EdgeError('EDGE_CHATDB_SCHEMA', `${this.#path} is empty`);
  }

  /** May be called twice. */
  close(): void {
    this.#connection?.db.close();
    this.#connection = undefined;
  }

  /** The file at the path now, which need not be the one that is open; undefined when there is none. */
  identityOnDisk(): FileIdentity | undefined {
    try {
      const stat = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
      return stat && { dev: String(stat.dev), ino: String(stat.ino) };
    } catch (error) {
      throw chatDbError(this.#path, error);
    }
  }

  /** What this chat.db cannot tell, each as `feature (what is missing)`; empty where all is there. */
  get lacks(): readonly string[] {
    return this.#read(({ statements, lacks }) =>
      statements.hasRowsPastLast.get() === undefined
        ? lacks
        : [...lacks, 'rows with a ROWID past 2^53 (message.ROWID)'],
    );
  }

  /** A number that changes with every commit of another connection, of any process. */
  dataVersion(): number {
    return this.#read(versionOf);
  }

  /** 0 when there are no messages. */
  maxRowid(): number {
    return this.#read(({ statements }) => (statements.maxRowid.pluck().get() as number | null) ?? 0);
  }

  guidAt(rowid: number): string | undefined {
    return this.#read(({ statements }) => statements.guidAt.pluck().get(rowid) as string | undefined);
  }

  /** Rows past `rowid`, at most `limit`, by ROWID; those before a damaged one come, and the next page throws. */
  rowsAfter(rowid: number, limit: number): ChatRow[] {
    return this.#rows('rowsAfter', { rowid, limit }, { endsAtDamage: true });
  }

  /** Rows dated `dateAt` (ms since 1970) or later and past `afterRowid`, by ROWID; rows without a date are not seen. */
  rowsSince(dateAt: number, afterRowid: number, limit: number): ChatRow[] {
    return this.#rows('rowsSince', { ...sinceParameters(dateAt), afterRowid, limit });
  }

  /** All of them that are there, whatever their size. */
  rowsByGuid(guids: readonly string[]): ChatRow[] {
    return this.#rows('rowsByGuid', { guids: JSON.stringify(guids) }, WHOLE);
  }

  rowsByRowid(rowids: readonly number[]): ChatRow[] {
    return this.#rows('rowsByRowid', { rowids: JSON.stringify(rowids) }, WHOLE);
  }

  /**
   * Own rows (is_from_me) past `rowid`, at most `limit`, by ROWID; without those of Send Later, and without those dated
   * before `sinceAt` (ms since 1970). @default all dates
   */
  outgoingAfter(rowid: number, limit: number, sinceAt = 0): ChatRow[] {
    return this.#rows('outgoingAfter', { rowid, limit, sinceAt });
  }

  /** Own rows dated `dateAt` (ms since 1970) or later, past `afterRowid`, as above; rows without a date are not seen. */
  outgoingSince(dateAt: number, limit: number, afterRowid = 0): ChatRow[] {
    return this.#rows('outgoingSince', { ...sinceParameters(dateAt), afterRowid, limit });
  }

  /**
   * Rows that were edited or unsent among those dated `sinceAt` (ms since 1970) or later and those with ROWID `fromRowid`
   * and up, in no order to rely on, each once; `after` is a place of the page before, undefined for the first. No index
   * leads to them, so a page may end, even empty, before the window does.
   */
  revisions(
    window: { sinceAt: number; fromRowid: number },
    after: RevisionPlace | undefined,
    limit: number,
  ): RevisionPage {
    return this.#read(({ statements }) => revisionPage(statements, window, after, limit));
  }

  /** What became of these rows of ours; no body is read. */
  receiptStates(rowids: readonly number[]): ReceiptState[] {
    return this.#read(({ statements }) =>
      (statements.receiptStates.all({ rowids: JSON.stringify(rowids) }) as RawReceiptState[]).map(toReceiptState),
    );
  }

  /** Messages of the row's chat before it, newest first, without tapbacks and the like; none where it has no chat. */
  recentOf(row: ChatRow, limit: number): PastMessage[] {
    return this.#read(({ statements }) => {
      const parameters = { rowid: row.rowid, limit, examined: limit * EXAMINED_PER_MESSAGE };
      const page = pageOf<RawPastMessage>(statements.recentOf, parameters, PAGE_BYTES, ({ text, body }) =>
        sizeOf(text, body),
      );
      return page.map(toPastMessage);
    });
  }

  /** Whether no row of its chat comes before it; false where it has no chat. */
  isFirstOfChat(row: ChatRow): boolean {
    if (!row.chat) return false;
    return this.#read(({ statements }) => statements.earlierInChat.get({ rowid: row.rowid }) === undefined);
  }

  /** The first message that has this attachment; undefined where there is none. */
  messageOfAttachment(attachmentGuid: string): ChatRow | undefined {
    const rowid = this.#read(({ statements }) => statements.messageOfAttachment.pluck().get(attachmentGuid));
    return typeof rowid === 'number' ? this.rowsByRowid([rowid])[0] : undefined;
  }

  /**
   * The chat with this chat_identifier that holds the newest message that was not refused, or else is the newest: one
   * person may have several, one for each service.
   */
  chatOf(threadId: string): ThreadChat | undefined {
    return this.#read(({ statements }) => {
      const raw = statements.writtenChatOf.get(threadId) as (RawChat & { newestService: string | null }) | undefined;
      return raw && { ...chatInfo(statements, raw), newestService: raw.newestService || undefined };
    });
  }

  #rows(
    query: keyof Statements,
    parameters: Record<string, unknown>,
    { maxBytes = PAGE_BYTES, endsAtDamage = false } = {},
  ): ChatRow[] {
    return this.#read((connection) => {
      forgetOldChats(connection);
      const { statements } = connection;
      const size = (raw: RawMessage) => sizeOf(raw.text, raw.subject, raw.body, raw.payload, raw.summary);
      const page = pageOf<RawMessage>(statements[query], parameters, maxBytes, size, endsAtDamage);
      const attachments = (rowid: number) => attachmentsOf(statements, rowid);
      return page.map((raw) => toChatRow(raw, chatAt(connection, raw.chatRowid), attachments));
    });
  }

  #read<T>(read: (connection: Connection) => T): T {
    if (!this.#connection) throw new EdgeError('EDGE_CHATDB_READ', `${this.#path} is not open`);
    try {
      return read(this.#connection);
    } catch (error) {
      throw chatDbError(this.#path, error);
    }
  }
}
