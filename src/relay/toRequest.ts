import type { ChatRow } from '../chatdb/types.ts';
import type { MessageRequest } from '../protocol/wire.ts';
import { filterText, type Redactor } from './filterText.ts';
import { codesOf, messageText } from './messageText.ts';
import { fitting, senderOf, wireAttachments } from './parties.ts';
import { stepsFor } from './privacy.ts';

/**
 * The conversation a row belongs to, by the identifier of its chat: `iMessage;-;`, `SMS;-;` and `any;-;` of a person are
 * one thread. Without a chat the handle; undefined when neither is known.
 */
export function threadOf(row: ChatRow): string | undefined {
  return row.chat?.identifier || row.handle || undefined;
}

/** The POST body of a row. `now` stands in for a date that is missing. */
export function toRequest(
  row: ChatRow,
  threadId: string,
  o: { privacy: Redactor; backfill: boolean; now: number },
): MessageRequest {
  const hints = { codes: codesOf(row), steps: stepsFor(2) };
  const { text, redacted: found, truncated } = filterText(messageText(row), o.privacy, hints);
  const names = new Set(found);
  const attachments = wireAttachments(row, (name) => {
    const filtered = filterText(name, o.privacy, hints);
    for (const each of filtered.redacted) names.add(each);
    return filtered.text;
  });
  const redacted = [...names];
  const reasons = [...(redacted.length > 0 ? ['redacted'] : []), ...(truncated ? ['truncated'] : [])];
  const sender = senderOf(row) ?? (row.chat?.isGroup ? '' : threadId);
  const participants = row.chat?.participants ?? [];
  return {
    thread_id: threadId,
    sender,
    filtered_text: text,
    message_guid: row.guid,
    original_timestamp: new Date(row.dateAt ?? o.now).toISOString(),
    is_group: row.chat?.isGroup ?? false,
    participants: participants.length > 0 ? fitting(participants) : [sender],
    chat_guid: row.chat?.guid ?? '',
    service: wireService(row),
    was_redacted: redacted.length > 0,
    redacted_fields: redacted,
    filter_reason: reasons.join(', '),
    ...(attachments && { attachments }),
    ...(row.replyToGuid === undefined ? {} : { reply_to_guid: row.replyToGuid }),
    ...(o.backfill ? { backfill: true as const } : {}),
    ...(row.decodeError === undefined ? {} : { decode_error: row.decodeError }),
  };
}

/** iMessageLite is iMessage by satellite; `any` and '' say nothing, and the chat is asked. */
function wireService({ service, chat }: ChatRow): 'iMessage' | 'SMS' | 'RCS' {
  for (const name of [service, chat?.service ?? '']) {
    if (/sms$/i.test(name)) return 'SMS';
    if (/^rcs$/i.test(name)) return 'RCS';
    if (/^imessage/i.test(name)) return 'iMessage';
  }
  return 'iMessage';
}
