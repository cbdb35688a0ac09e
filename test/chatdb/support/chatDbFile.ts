import type Database from 'better-sqlite3';
import { columnsOf, createVariant, type SchemaVariant } from './schemaVariants.ts';

const NEWEST: SchemaVariant = { title: 'macOS 26', macos: 26, without: [], extra: [] };

type Column = string | number | bigint | Uint8Array | null;

/** A chat.db as Messages keeps it (WAL), written from this process. What a variant has no column for is not written. */
export class ChatDbFile {
  readonly path: string;
  readonly db: Database.Database;
  readonly #columns = new Map<string, readonly string[]>();

  constructor(path: string, variant: SchemaVariant = NEWEST) {
    this.path = path;
    this.db = createVariant(path, variant);
  }

  /** Inserts a row and returns its ROWID. */
  insert(table: string, row: Record<string, Column>): number {
    const columns = this.#columns.get(table) ?? columnsOf(this.db, table);
    this.#columns.set(table, columns);
    const names = Object.keys(row).filter((name) => columns.includes(name));
    const sql = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})`;
    return Number(this.db.prepare(sql).run(row).lastInsertRowid);
  }

  handle(id: string, service = 'iMessage'): number {
    return this.insert('handle', { id, service });
  }

  /** A chat with these handles as members; groups are those whose identifier begins with `chat`. */
  chat(identifier: string, handles: readonly number[], service = 'iMessage'): number {
    const isGroup = identifier.startsWith('chat');
    const chatId = this.insert('chat', {
      guid: `${service};${isGroup ? '+' : '-'};${identifier}`,
      style: isGroup ? 43 : 45,
      chat_identifier: identifier,
      service_name: service,
    });
    for (const handleId of handles) this.insert('chat_handle_join', { chat_id: chatId, handle_id: handleId });
    return chatId;
  }

  message(guid: string, row: Record<string, Column> = {}, chatId?: number): number {
    const rowid = this.insert('message', { guid, date: appleNs(Date.UTC(2026, 0, 1)), service: 'iMessage', ...row });
    if (chatId !== undefined) this.insert('chat_message_join', { chat_id: chatId, message_id: rowid });
    return rowid;
  }

  attachment(messageId: number, guid: string, row: Record<string, Column> = {}): void {
    const finished = { transfer_state: 5, original_guid: guid };
    const attachmentId = this.insert('attachment', { guid, ...finished, ...row });
    this.insert('message_attachment_join', { message_id: messageId, attachment_id: attachmentId });
    if (columnsOf(this.db, 'message').includes('cache_has_attachments')) {
      this.db.prepare('UPDATE message SET cache_has_attachments = 1 WHERE ROWID = ?').run(messageId);
    }
  }

  close(): void {
    this.db.close();
  }
}

/** ms since 1970 as message.date holds it. */
export function appleNs(ms: number): bigint {
  return BigInt(ms - 978_307_200_000) * 1_000_000n;
}
