import type { Database } from 'better-sqlite3';
import { EdgeError } from '../util/EdgeError.ts';
import { degradedFeatures, OPTIONAL_TABLES } from './features.ts';

/** Without these a message cannot be read at all. All are in every chat.db of macOS 12 to 26. */
const REQUIRED: Record<string, readonly string[]> = {
  message: ['guid', 'handle_id', 'date', 'is_from_me'],
  chat: ['guid', 'chat_identifier'],
  handle: ['id'],
  chat_message_join: ['chat_id', 'message_id'],
};

/** Which columns this chat.db has; they vary even between machines of one macOS build. */
export interface ChatDbSchema {
  /** `alias.column`, or the SQL literal `otherwise` where the table has no such column. */
  column(table: string, alias: string, column: string, otherwise?: string): string;
  has(table: string, column: string): boolean;
  hasParticipants: boolean;
  hasAttachments: boolean;
  /** What does not work without the columns that are missing, each as `feature (table.column, …)`. */
  lacks: readonly string[];
}

/** @throws EdgeError EDGE_CHATDB_SCHEMA, naming every table and column that is missing */
export function probeSchema(db: Database, path: string): ChatDbSchema {
  const columns = new Map<string, ReadonlySet<string>>();
  for (const table of [...Object.keys(REQUIRED), ...OPTIONAL_TABLES]) {
    const rows = db.pragma(`table_info(${table})`) as { name: string }[];
    if (rows.length > 0) columns.set(table, new Set(rows.map((row) => row.name.toLowerCase())));
  }
  const hasTable = (table: string) => columns.has(table);
  const has = (table: string, column: string) => columns.get(table)?.has(column.toLowerCase()) === true;

  const missing = Object.entries(REQUIRED).flatMap(([table, names]) =>
    hasTable(table) ? names.filter((name) => !has(table, name)).map((name) => `${table}.${name}`) : [`table ${table}`],
  );
  if (hasTable('message') && !has('message', 'text') && !has('message', 'attributedBody')) {
    missing.push('message.text or message.attributedBody');
  }
  if (missing.length > 0) throw new EdgeError('EDGE_CHATDB_SCHEMA', `${path} lacks ${missing.join(', ')}`);

  return {
    column: (table, alias, column, otherwise = 'NULL') => (has(table, column) ? `${alias}.${column}` : otherwise),
    has,
    hasParticipants: has('chat_handle_join', 'chat_id') && has('chat_handle_join', 'handle_id'),
    hasAttachments:
      has('attachment', 'guid') &&
      has('message_attachment_join', 'message_id') &&
      has('message_attachment_join', 'attachment_id'),
    lacks: degradedFeatures(hasTable, has),
  };
}
