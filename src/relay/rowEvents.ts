import type { ChatRow } from '../chatdb/types.ts';
import type { EventDraft } from './classify.ts';

/** The event that tells of a group, asked for its first row. */
export function groupCreated(row: ChatRow): EventDraft | undefined {
  if (!row.chat?.isGroup) return undefined;
  const details = { change: 'created', is_group: true, is_from_me: row.isFromMe, row_guid: row.guid };
  return { event_id: `created:${row.chat.identifier}`, event_type: 'group_changed', details };
}
