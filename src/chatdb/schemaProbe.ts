import type { Database } from 'better-sqlite3';
import { EdgeError } from '../util/EdgeError.ts';

/** Without these a message cannot be read at all. All are in every chat.db of macOS 12 to 26. */
const REQUIRED: Record<string, readonly string[]> = {
  message: ['guid', 'handle_id', 'date', 'is_from_me'],
  chat: ['guid', 'chat_identifier'],
  handle: ['id'],
  chat_message_join: ['chat_id', 'message_id'],
};
/** Tables that may be missing as a whole. */
const OPTIONAL = ['chat_handle_join', 'attachment', 'message_attachment_join'];

/** Which columns this chat.db has; they vary even between machines of one macOS build. */
export interface ChatDbSchema {
  /** `alias.column`, or the SQL literal `otherwise` where the table has no such column. */
  column(table: string, alias: string, column: string, otherwise?: string): string;
  hasParticipants: boolean;
  hasAttachments: boolean;
}

/** @throws EdgeError EDGE_CHATDB_SCHEMA, naming every table and column that is missing */
export function probeSchema(db: Database, path: string): ChatDbSchema {
  const columns = new Map<string, ReadonlySet<string>>();
  for (const table of [...Object.keys(REQUIRED), ...OPTIONAL]) {
    const rows = db.pragma(`table_info(${table})`) as { name: string }[];
    columns.set(table, new Set(rows.map((row) => row.name.toLowerCase())));
  }
  const has = (table: string, column: string) => columns.get(table)?.has(column) === true;

  const missing = Object.entries(REQUIRED).flatMap(([table, names]) =>
    columns.get(table)?.size === 0
      ? [`table ${table}`]
      : names.filter((name) => !has(table, name)).map((name) => `${table}.${name}`),
  );
  if (!missing.includes('table message') && !has('message', 'text') && !has('message', 'attributedbody')) {
    missing.push('message.text or message.attributedBody');
  }
  if (missing.length > 0) throw new EdgeError('EDGE_CHATDB_SCHEMA', `${path} lacks ${missing.join(', ')}`);

  return {
    column: (table, alias, column, otherwise = 'NULL') =>
      has(table, column.toLowerCase()) ? `${alias}.${column}` : otherwise,
    hasParticipants: has('chat_handle_join', 'chat_id') && has('chat_handle_join', 'handle_id'),
    hasAttachments:
      has('attachment', 'guid') &&
      has('message_attachment_join', 'message_id') &&
      has('message_attachment_join', 'attachment_id'),
  };
}
