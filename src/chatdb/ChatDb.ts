import { statSync } from 'node:fs';
import Database, { type Statement } from 'better-sqlite3';
import { EdgeError } from '../util/EdgeError.ts';
import { sinceParameters } from './appleDate.ts';
import { chatDbError } from './chatDbError.ts';
import { buildQueries, type ChatDbQueries, type RawAttachment, type RawChat, type RawMessage } from './queries.ts';
import { toAttachmentInfo, toChatInfo, toChatRow } from './rows.ts';
import { probeSchema } from './schemaProbe.ts';
import type { AttachmentInfo, ChatInfo, ChatRow, FileIdentity } from './types.ts';

/** Longest a read waits for another connection, ms. The wait blocks the event loop, so it is short. */
const BUSY_MS = 50;

type Statements = { readonly [name in keyof ChatDbQueries]: Statement<unknown[]> };

interface Connection {
  readonly db: Database.Database;
  readonly statements: Statements;
}

/**
 * One read-only connection to one chat.db. Never writes and never opens `immutable`, which would hide the WAL and with
 * it every new message. Each method reads in statements of its own, so that no long read transaction keeps Messages from
 * checkpointing. All methods but `close` throw EdgeError EDGE_CHATDB_MISSING, _NO_PERMISSION, _CORRUPT, _SCHEMA, _BUSY
 * or _READ.
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
      db = new Database(this.#path, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
      const statements = prepare(db, buildQueries(probeSchema(db, this.#path)));
      statements.rowsAfter.get({ rowid: 0, limit: 1 });
      const now = this.identityOnDisk();
      if (!now || now.ino !== identity.ino || now.dev !== identity.dev) {
        throw new EdgeError('EDGE_CHATDB_READ', `${this.#path} was replaced while it was opened`);
      }
      this.#connection = { db, statements };
      return identity;
    } catch (error) {
      db?.close();
      throw chatDbError(this.#path, error);
    }
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

  /** A number that changes with every commit of another connection, of any process. */
  dataVersion(): number {
    return this.#read(({ dataVersion }) => dataVersion.pluck().get() as number);
  }

  /** 0 when there are no messages. */
  maxRowid(): number {
    return this.#read(({ maxRowid }) => (maxRowid.pluck().get() as number | null) ?? 0);
  }

  guidAt(rowid: number): string | undefined {
    return this.#read(({ guidAt }) => guidAt.pluck().get(rowid) as string | undefined);
  }

  /** Rows past `rowid`, at most `limit`, by ROWID. */
  rowsAfter(rowid: number, limit: number): ChatRow[] {
    return this.#rows('rowsAfter', { rowid, limit });
  }

  /** Rows dated `dateAt` (ms since 1970) or later and past `afterRowid`, by ROWID; rows without a date are not seen. */
  rowsSince(dateAt: number, afterRowid: number, limit: number): ChatRow[] {
    return this.#rows('rowsSince', { ...sinceParameters(dateAt), afterRowid, limit });
  }

  rowsByGuid(guids: readonly string[]): ChatRow[] {
    return this.#rows('rowsByGuid', { guids: JSON.stringify(guids) });
  }

  rowsByRowid(rowids: readonly number[]): ChatRow[] {
    return this.#rows('rowsByRowid', { rowids: JSON.stringify(rowids) });
  }

  /** Own rows (is_from_me) past `rowid`, at most `limit`, by ROWID. */
  outgoingAfter(rowid: number, limit: number): ChatRow[] {
    return this.#rows('outgoingAfter', { rowid, limit });
  }

  /** Own rows dated `dateAt` (ms since 1970) or later, at most `limit`, by ROWID. */
  outgoingSince(dateAt: number, limit: number): ChatRow[] {
    return this.#rows('outgoingSince', { ...sinceParameters(dateAt), limit });
  }

  /** The newest chat with this chat_identifier: one person may have several, one for each service. */
  chatOf(threadId: string): ChatInfo | undefined {
    return this.#read((statements) => {
      const raw = statements.newestChatOf.get(threadId) as RawChat | undefined;
      return raw && chatInfo(statements, raw);
    });
  }

  recentOf(_row: ChatRow, _limit: number): { guid: string; text: string; isFromMe: boolean; handle?: string }[] {
    return [];
  }

  isFirstOfChat(_row: ChatRow): boolean {
    return false;
  }

  #rows(query: keyof Statements, parameters: Record<string, unknown>): ChatRow[] {
    return this.#read((statements) => {
      const chats = new Map<number, ChatInfo | undefined>();
      return (statements[query].all(parameters) as RawMessage[]).map((raw) =>
        toChatRow(raw, chatAt(statements, chats, raw.chatRowid), (rowid) => attachmentsOf(statements, rowid)),
      );
    });
  }

  #read<T>(read: (statements: Statements) => T): T {
    if (!this.#connection) throw new EdgeError('EDGE_CHATDB_READ', `${this.#path} is not open`);
    try {
      return read(this.#connection.statements);
    } catch (error) {
      throw chatDbError(this.#path, error);
    }
  }
}

function prepare(db: Database.Database, queries: ChatDbQueries): Statements {
  const entries = Object.entries(queries).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(entries) as Statements;
}

function chatAt(
  statements: Statements,
  known: Map<number, ChatInfo | undefined>,
  rowid: number | null,
): ChatInfo | undefined {
  if (rowid === null) return undefined;
  if (!known.has(rowid)) {
    const raw = statements.chat.get(rowid) as RawChat | undefined;
    known.set(rowid, raw && chatInfo(statements, raw));
  }
  return known.get(rowid);
}

function chatInfo(statements: Statements, raw: RawChat): ChatInfo {
  return toChatInfo(raw, statements.participants.pluck().all(raw.rowid) as string[]);
}

function attachmentsOf(statements: Statements, rowid: number): AttachmentInfo[] {
  return (statements.attachments.all(rowid) as RawAttachment[]).map(toAttachmentInfo);
}
