import type { ChatRow } from '../chatdb/types.ts';
import type { EdgeEvent } from '../protocol/wire.ts';
import type { PrivacyFilter } from './privacy.ts';

/** What the state of an edited row calls for. */
export function revisionEvents(
  row: ChatRow,
  o: { privacy: Pick<PrivacyFilter, 'redact'>; handedOver: boolean; threadId: string },
): Omit<EdgeEvent, 'thread_id'>[] {
  const events: Omit<EdgeEvent, 'thread_id'>[] = [];
  const about = { message_guid: row.guid, sender: row.handle ?? o.threadId, is_from_me: row.isFromMe };
  const at = new Date(row.editedAt ?? 0).toISOString();
  const parts = row.summary?.unsentParts ?? [];
  if (parts.length > 0) {
    const details = { ...about, parts, whole: row.isEmpty, unsent_at: at, handed_over: o.handedOver };
    events.push({ event_id: `unsent:${row.guid}:${parts.join(',')}`, event_type: 'message_unsent', details });
  } else {
    const { text, redacted } = o.privacy.redact(row.text);
    const redaction = { was_redacted: redacted.length > 0, redacted_fields: redacted };
    const details = { ...about, text, history: [], edited_at: at, ...redaction };
    const editedAt = row.summary?.edits.get(0)?.at(-1)?.writtenAt ?? row.editedAt;
    events.push({ event_id: `edited:${row.guid}:${editedAt}`, event_type: 'message_edited', details });
  }
  return events;
}
