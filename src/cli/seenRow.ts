import { messageText } from '../relay/messageText.ts';
import { actorOf, wireAttachments, wireTime } from '../relay/parties.ts';
import { threadOf } from '../relay/toRequest.ts';
import type { Seen } from './RowWatch.ts';

/** What --json prints: `kind` is `message`, or the type of the event, whose details stand beside it. */
export function shown({ row, event }: Seen): Record<string, unknown> {
  const where = {
    kind: event?.event_type ?? 'message',
    rowid: row.rowid,
    guid: row.guid,
    date: wireTime(row.dateAt),
    thread_id: threadOf(row),
  };
  if (event) return { ...where, ...event.details };
  return {
    ...where,
    sender: actorOf(row),
    is_group: row.chat?.isGroup,
    service: row.service,
    text: messageText(row),
    attachments: wireAttachments(row, (name) => name) ?? [],
    reply_to_guid: row.replyToGuid,
    decode_error: row.decodeError,
  };
}

/** The line printed, without its end. */
export function described({ row, event }: Seen): string {
  const time = row.dateAt === undefined ? '--:--:--' : new Date(row.dateAt).toTimeString().slice(0, 8);
  const thread = threadOf(row) ?? 'unknown thread';
  const who = row.isFromMe || row.chat?.isGroup ? `  ${actorOf(row) ?? 'unknown sender'}` : '';
  const files = row.attachments.map((attachment) => `  [${attachment.name || attachment.mimeType}]`).join('');
  const flaw = row.decodeError === undefined ? '' : `  (body: ${row.decodeError})`;
  const what = event ? happened(event) : `${JSON.stringify(messageText(row))}${files}${flaw}`;
  return `${time}  ${thread}${who}  ${what}`;
}

function happened({ event_type, details }: NonNullable<Seen['event']>): string {
  const about = details.message_guid ?? 'a message';
  switch (event_type) {
    case 'reaction_added':
    case 'reaction_removed': {
      const name = details.emoji ?? details.reaction;
      return event_type === 'reaction_added' ? `reacted ${name} to ${about}` : `took ${name} back from ${about}`;
    }
    case 'message_edited':
      return `edited ${about}: ${JSON.stringify(details.text)}`;
    case 'message_unsent':
      return details.whole ? `unsent ${about}` : `unsent part ${details.parts} of ${about}`;
    default: {
      const object = details.member ?? (details.name === undefined ? '' : JSON.stringify(details.name));
      return `${String(details.change).replaceAll('_', ' ')} ${object}`.trimEnd();
    }
  }
}
