import type { ChatRow } from '../chatdb/types.ts';
import type { MessageRequest } from '../protocol/wire.ts';
import type { PrivacyFilter } from './privacy.ts';

/** Longest text handed over, bytes of UTF-8; the rest is cut and said so. No person types as much in one message. */
export const MAX_TEXT_BYTES = 256 * 1024;
/** Attachments named at most; Messages itself takes fewer. */
export const MAX_ATTACHMENTS = 100;
/** Characters looked at by the privacy filter: as much as can end up in the text, twice over. */
const MAX_FILTERED_CHARACTERS = 2 * MAX_TEXT_BYTES;
/** Stands in the text where an attachment is shown. */
const ATTACHMENT_PLACEHOLDER = '\ufffc';

/** The conversation a row belongs to: a group's identifier, else the other party's handle; undefined when unknown. */
export function threadOf(row: ChatRow): string | undefined {
  if (row.chat?.isGroup) return row.chat.identifier;
  return row.handle ?? row.chat?.identifier;
}

/** The POST body of a row. `now` stands in for a date that is missing. */
export function toRequest(
  row: ChatRow,
  threadId: string,
  o: { privacy: PrivacyFilter; backfill: boolean; now: number },
): MessageRequest {
  const { text, redacted, truncated } = filteredText(row, o.privacy);
  const reasons = [...(redacted.length > 0 ? ['redacted'] : []), ...(truncated ? ['truncated'] : [])];
  const sender = row.handle ?? (row.chat?.isGroup ? '' : threadId);
  const participants = row.chat?.participants ?? [];
  return {
    thread_id: threadId,
    sender,
    filtered_text: text,
    message_guid: row.guid,
    original_timestamp: new Date(row.dateAt ?? o.now).toISOString(),
    is_group: row.chat?.isGroup ?? false,
    participants: participants.length > 0 ? [...participants] : [sender],
    chat_guid: row.chat?.guid ?? '',
    service: row.service || (row.chat?.service ?? ''),
    was_redacted: redacted.length > 0,
    redacted_fields: redacted,
    filter_reason: reasons.join(', '),
    ...(row.attachments.length === 0 ? {} : { attachments: row.attachments.slice(0, MAX_ATTACHMENTS).map(wire) }),
    ...(row.replyToGuid === undefined ? {} : { reply_to_guid: row.replyToGuid }),
    ...(o.backfill ? { backfill: true as const } : {}),
    ...(row.decodeError === undefined ? {} : { decode_error: row.decodeError }),
  };
}

function filteredText(row: ChatRow, privacy: PrivacyFilter) {
  const whole = row.text.replaceAll(ATTACHMENT_PLACEHOLDER, '');
  const { text, redacted } = privacy.redact(whole.slice(0, MAX_FILTERED_CHARACTERS));
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= MAX_TEXT_BYTES && whole.length <= MAX_FILTERED_CHARACTERS) {
    return { text, redacted, truncated: false };
  }
  return { text: cut(bytes, MAX_TEXT_BYTES), redacted, truncated: true };
}

/** At most `limit` bytes, ending with a whole character: bytes 10xxxxxx go on with one that began before. */
function cut(bytes: Buffer, limit: number): string {
  let end = Math.min(limit, bytes.length);
  while (end < bytes.length && end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

function wire(attachment: ChatRow['attachments'][number]) {
  const { guid, name, mimeType, sizeBytes, transferState } = attachment;
  const pending = transferState === 'pending' ? { pending: true as const } : {};
  return { guid, name, mime_type: mimeType, size_bytes: sizeBytes, ...pending };
}
