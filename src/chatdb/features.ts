/** What the agent does not see where a column or table is missing. Each column a query reads is in one of them. */
interface Feature {
  readonly name: string;
  readonly table: string;
  /** Without any one of these the feature is degraded; without all of the table it is gone. */
  readonly columns: readonly string[];
}

const FEATURES: readonly Feature[] = [
  { name: 'text of messages without a body', table: 'message', columns: ['text'] },
  { name: 'styled text', table: 'message', columns: ['attributedBody'] },
  { name: 'subject lines', table: 'message', columns: ['subject'] },
  { name: 'services', table: 'message', columns: ['service'] },
  { name: 'own addresses', table: 'message', columns: ['account', 'destination_caller_id'] },
  {
    name: 'group events',
    table: 'message',
    columns: ['item_type', 'group_action_type', 'group_title', 'other_handle', 'share_status'],
  },
  { name: 'tapbacks', table: 'message', columns: ['associated_message_type', 'associated_message_guid'] },
  { name: 'emoji tapbacks', table: 'message', columns: ['associated_message_emoji'] },
  { name: 'app balloons', table: 'message', columns: ['balloon_bundle_id', 'payload_data'] },
  { name: 'inline replies', table: 'message', columns: ['thread_originator_guid'] },
  { name: 'link previews', table: 'message', columns: ['reply_to_guid'] },
  { name: 'edits', table: 'message', columns: ['date_edited', 'message_summary_info'] },
  { name: 'unsent messages', table: 'message', columns: ['is_empty', 'part_count'] },
  { name: 'audio messages', table: 'message', columns: ['is_audio_message'] },
  { name: 'Send Later', table: 'message', columns: ['schedule_type'] },
  { name: 'send results', table: 'message', columns: ['is_sent', 'error'] },
  { name: 'delivery receipts', table: 'message', columns: ['is_delivered', 'date_delivered'] },
  { name: 'read receipts', table: 'message', columns: ['is_read', 'date_read'] },
  { name: 'groups by style', table: 'chat', columns: ['style'] },
  { name: 'services of chats', table: 'chat', columns: ['service_name'] },
  { name: 'services of threads with several chats', table: 'chat_message_join', columns: ['message_date'] },
  { name: 'members', table: 'chat_handle_join', columns: ['chat_id', 'handle_id'] },
  { name: 'attachments', table: 'message_attachment_join', columns: ['message_id', 'attachment_id'] },
  { name: 'attachments', table: 'attachment', columns: ['guid', 'filename', 'transfer_name', 'total_bytes'] },
  { name: 'attachments that come late', table: 'message', columns: ['cache_has_attachments'] },
  { name: 'attachment types', table: 'attachment', columns: ['mime_type', 'uti'] },
  { name: 'download state', table: 'attachment', columns: ['transfer_state'] },
  { name: 'stickers', table: 'attachment', columns: ['is_sticker'] },
  { name: 'hidden attachments', table: 'attachment', columns: ['hide_attachment'] },
];

/**
 * Columns of `message` that came with a macOS later than 12, oldest first (schemas of BlueBubbles server and
 * imessage-kit). Where none of one macOS and of those after it is there, this one is older than the feature: nothing is
 * missing.
 */
const CAME_LATER: readonly (readonly string[])[] = [
  ['date_edited', 'part_count'],
  ['associated_message_emoji', 'schedule_type'],
];

/** Every column that may be missing, as `table.column`. */
export const OPTIONAL_COLUMNS: readonly string[] = FEATURES.flatMap(({ table, columns }) =>
  columns.map((column) => `${table}.${column}`),
);

/** Tables that may be missing as a whole. */
export const OPTIONAL_TABLES = ['chat_handle_join', 'attachment', 'message_attachment_join'] as const;

/** The features that are degraded, each with what is missing for it: `edits (message.date_edited)`. */
export function degradedFeatures(
  hasTable: (table: string) => boolean,
  hasColumn: (table: string, column: string) => boolean,
): string[] {
  const macos = CAME_LATER.findLastIndex((columns) => columns.some((column) => hasColumn('message', column)));
  const tooNew = new Set(CAME_LATER.slice(macos + 1).flat());
  const isMissing = (table: string, column: string) =>
    !hasColumn(table, column) && !(table === 'message' && tooNew.has(column));
  const missing = new Map<string, string[]>();
  for (const { name, table, columns } of FEATURES) {
    const lacking = hasTable(table)
      ? columns.filter((column) => isMissing(table, column)).map((column) => `${table}.${column}`)
      : [`table ${table}`];
    if (lacking.length > 0) missing.set(name, [...new Set([...(missing.get(name) ?? []), ...lacking])]);
  }
  return [...missing].map(([name, lacking]) => `${name} (${lacking.join(', ')})`);
}
