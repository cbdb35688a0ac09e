import Database from 'better-sqlite3';

/** The tables, columns and indexes of macOS 12 to 26 that reading touches; `without` leaves columns or tables out. */
function schema(without: readonly string[]): string {
  const table = (name: string, columns: Record<string, string>, rest = '') => {
    if (without.includes(name)) return '';
    const kept = Object.entries(columns).filter(([column]) => !without.includes(`${name}.${column}`));
    return `CREATE TABLE ${name} (${kept.map(([column, type]) => `${column} ${type}`).join(', ')}${rest});`;
  };
  const index = (name: string, on: string, column: string) =>
    without.includes(on) || without.includes(`${on}.${column}`) ? '' : `CREATE INDEX ${name} ON ${on}(${column});`;
  return [
    table('handle', {
      ROWID: 'INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE',
      id: 'TEXT NOT NULL',
      service: `TEXT NOT NULL DEFAULT 'iMessage'`,
    }),
    table('chat', {
      ROWID: 'INTEGER PRIMARY KEY AUTOINCREMENT',
      guid: 'TEXT UNIQUE NOT NULL',
      style: 'INTEGER',
      chat_identifier: 'TEXT',
      service_name: 'TEXT',
    }),
    table('message', {
      ROWID: 'INTEGER PRIMARY KEY AUTOINCREMENT',
      guid: 'TEXT UNIQUE NOT NULL',
      text: 'TEXT',
      handle_id: 'INTEGER DEFAULT 0',
      attributedBody: 'BLOB',
      service: 'TEXT',
      error: 'INTEGER DEFAULT 0',
      date: 'INTEGER',
      is_delivered: 'INTEGER DEFAULT 0',
      is_finished: 'INTEGER DEFAULT 0',
      is_from_me: 'INTEGER DEFAULT 0',
      is_read: 'INTEGER DEFAULT 0',
      is_sent: 'INTEGER DEFAULT 0',
      cache_has_attachments: 'INTEGER DEFAULT 0',
      item_type: 'INTEGER DEFAULT 0',
      associated_message_type: 'INTEGER DEFAULT 0',
      thread_originator_guid: 'TEXT',
      future_column: 'TEXT',
    }),
    table('attachment', {
      ROWID: 'INTEGER PRIMARY KEY AUTOINCREMENT',
      guid: 'TEXT UNIQUE NOT NULL',
      filename: 'TEXT',
      mime_type: 'TEXT',
      transfer_name: 'TEXT',
      total_bytes: 'INTEGER DEFAULT 0',
    }),
    table('chat_handle_join', { chat_id: 'INTEGER', handle_id: 'INTEGER' }, ', UNIQUE(chat_id, handle_id)'),
    table('chat_message_join', { chat_id: 'INTEGER', message_id: 'INTEGER' }, ', PRIMARY KEY (chat_id, message_id)'),
    table(
      'message_attachment_join',
      { message_id: 'INTEGER', attachment_id: 'INTEGER' },
      ', UNIQUE(message_id, attachment_id)',
    ),
    index('message_idx_date', 'message', 'date'),
    index('message_idx_is_sent_is_from_me_error', 'message', 'is_sent'),
    index('message_idx_handle_id', 'message', 'handle_id'),
    index('chat_idx_chat_identifier', 'chat', 'chat_identifier'),
    index('chat_message_join_idx_message_id_only', 'chat_message_join', 'message_id'),
    index('message_attachment_join_idx_message_id', 'message_attachment_join', 'message_id'),
  ].join('\n');
}

type Column = string | number | bigint | Uint8Array | null;

/** A chat.db as Messages keeps it (WAL), written from this process. */
export class ChatDbFile {
  readonly path: string;
  readonly db: Database.Database;

  constructor(path: string, o: { without?: readonly string[] } = {}) {
    this.path = path;
    this.db = new Database(path);
    this.db.pragma('journal_mode = WAL');
    this.db.exec(schema(o.without ?? []));
  }

  /** Inserts a row and returns its ROWID. */
  insert(table: string, row: Record<string, Column>): number {
    const names = Object.keys(row);
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
    const attachmentId = this.insert('attachment', { guid, ...row });
    this.insert('message_attachment_join', { message_id: messageId, attachment_id: attachmentId });
    this.db.prepare('UPDATE message SET cache_has_attachments = 1 WHERE ROWID = ?').run(messageId);
  }

  close(): void {
    this.db.close();
  }
}

/** ms since 1970 as message.date holds it. */
export function appleNs(ms: number): bigint {
  return BigInt(ms - 978_307_200_000) * 1_000_000n;
}
