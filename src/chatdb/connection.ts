import type { Database, Statement } from 'better-sqlite3';
import type { ChatDbQueries } from './queries.ts';
import { integer, type RawAttachment, type RawChat } from './rawRows.ts';
import { toAttachmentInfo, toChatInfo } from './rows.ts';
import type { AttachmentInfo, ChatInfo } from './types.ts';

/** Chats remembered between two commits; more than most people have. */
const MAX_CHATS = 5000;

export type Statements = { readonly [name in keyof ChatDbQueries]: Statement<unknown[]> };

/** What ChatDb holds while its file is open. */
export interface Connection {
  readonly db: Database;
  readonly statements: Statements;
  readonly lacks: readonly string[];
  /** Chats by ROWID, as they are at `chatsVersion` of the data; undefined where there is none yet. */
  readonly chats: Map<string, ChatInfo | undefined>;
  chatsVersion: number;
}

export function prepare(db: Database, queries: ChatDbQueries): Statements {
  const entries = Object.entries(queries).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(entries) as Statements;
}

export function versionOf({ statements }: Connection): number {
  return statements.dataVersion.pluck().get() as number;
}

/**
 * Rows one after the other until `maxBytes` are passed; the statement is done with before they are decoded. With
 * `endsAtDamage` those before a row that cannot be read are a shorter page: the next begins with that row, and throws.
 */
export function pageOf<Row>(
  statement: Statement,
  parameters: object,
  maxBytes: number,
  size: (row: Row) => number,
  endsAtDamage = false,
): Row[] {
  const page: Row[] = [];
  let bytes = 0;
  try {
    for (const row of statement.iterate(parameters) as IterableIterator<Row>) {
      page.push(row);
      bytes += size(row);
      if (bytes > maxBytes) break;
    }
  } catch (error) {
    if (!endsAtDamage || page.length === 0) throw error;
  }
  return page;
}

export function sizeOf(...values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + integer((value as { length?: unknown } | null)?.length), 0);
}

/** Read before the rows: what is newer than the version is forgotten with the next. */
export function forgetOldChats(connection: Connection): void {
  const version = versionOf(connection);
  if (version === connection.chatsVersion && connection.chats.size < MAX_CHATS) return;
  connection.chats.clear();
  connection.chatsVersion = version;
}

export function chatAt({ statements, chats }: Connection, rowid: string | null): ChatInfo | undefined {
  if (rowid === null) return undefined;
  const known = chats.get(rowid);
  if (known || chats.has(rowid)) return known;
  const raw = statements.chat.get(rowid) as RawChat | undefined;
  const chat = raw && chatInfo(statements, raw);
  chats.set(rowid, chat);
  return chat;
}

export function chatInfo(statements: Statements, raw: RawChat): ChatInfo {
  return toChatInfo(raw, statements.participants.pluck().all(raw.rowid) as string[]);
}

export function attachmentsOf(statements: Statements, rowid: number): AttachmentInfo[] {
  const rows = statements.attachments.all(rowid) as RawAttachment[];
  return rows.map(toAttachmentInfo).filter((attachment) => attachment !== undefined);
}
