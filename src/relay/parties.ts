import type { AttachmentInfo, ChatRow } from '../chatdb/types.ts';
import type { MessageRequest } from '../protocol/wire.ts';

/** Stands for the person this Mac belongs to, as the one who did something. */
export const ME = 'me';
/** Attachments named at most; Messages itself takes fewer. */
const MAX_ATTACHMENTS = 100;
/**
 * JSON of all attachments, and of all participants, at most, bytes: with the longest text a body stays below 1 MiB, which
 * is what web servers take unless they are told otherwise.
 */
const MAX_LIST_BYTES = 128 * 1024;

/** Who wrote an inbound row: its handle, in a conversation of two also the other party. */
export function senderOf(row: ChatRow): string | undefined {
  return row.handle ?? (row.chat?.isGroup ? undefined : row.chat?.identifier);
}

/** Who did it: `me`, or the sender. The handle of an own row is the other party, not who wrote it. */
export function actorOf(row: ChatRow): string | undefined {
  return row.isFromMe ? ME : senderOf(row);
}

/** The attachments as the wire has them; undefined when there are none. Names are words: `filter` sees them. */
export function wireAttachments(
  { attachments }: ChatRow,
  filter: (name: string) => string,
): MessageRequest['attachments'] {
  if (attachments.length === 0) return undefined;
  return fitting(attachments.slice(0, MAX_ATTACHMENTS).map((attachment) => wireAttachment(attachment, filter)));
}

/** The first of the items, as many as a body has room for. */
export function fitting<T>(items: readonly T[]): T[] {
  let left = MAX_LIST_BYTES;
  const end = items.findIndex((item) => {
    left -= Buffer.byteLength(JSON.stringify(item)) + 1;
    return left < 0;
  });
  return end < 0 ? [...items] : items.slice(0, end);
}

function wireAttachment(
  { guid, name, mimeType, sizeBytes, transferState }: AttachmentInfo,
  filter: (name: string) => string,
) {
  const known = { guid, name: filter(name), mime_type: mimeType, size_bytes: sizeBytes };
  return transferState === 'pending' ? { ...known, pending: true as const } : known;
}

/** A time as the wire has it; undefined where it is not known, or none that a calendar has. */
export function wireTime(at: number | undefined): string | undefined {
  const date = new Date(at ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
