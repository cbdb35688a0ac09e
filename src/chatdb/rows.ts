import { basename } from 'node:path';
import { messageOf } from '../util/EdgeError.ts';
import type { DecodedBody } from './DecodedBody.ts';
import type { RawAttachment, RawChat, RawMessage } from './queries.ts';
import { decodeBody } from './typedstream/decodeBody.ts';
import type { AttachmentInfo, ChatInfo, ChatRow } from './types.ts';

const GROUP_STYLE = 43;
const ATTACHMENT_PLACEHOLDER = '\ufffc';

/** What stands in the row itself; `attachmentsOf` is asked only for rows that may have some. */
export function toChatRow(
  raw: RawMessage,
  chat: ChatInfo | undefined,
  attachmentsOf: (rowid: number) => readonly AttachmentInfo[],
): ChatRow {
  const hasBody = raw.body instanceof Uint8Array && raw.body.length > 0;
  const { body, decodeError } = hasBody ? decoded(raw.body as Uint8Array) : { body: undefined, decodeError: undefined };
  const text = body?.text ?? (typeof raw.text === 'string' ? raw.text : '');
  const mayHaveAttachments = raw.cacheHasAttachments === 1 || text.includes(ATTACHMENT_PLACEHOLDER);
  return {
    rowid: raw.rowid,
    guid: raw.guid,
    isFromMe: raw.isFromMe === 1,
    dateAt: raw.dateAt ?? undefined,
    service: raw.service ?? chat?.service ?? '',
    handle: raw.handle ?? undefined,
    chat,
    text,
    body,
    decodeError,
    hasBody,
    itemType: raw.itemType ?? 0,
    associatedType: raw.associatedType ?? 0,
    replyToGuid: raw.replyToGuid || undefined,
    cacheHasAttachments: raw.cacheHasAttachments === 1,
    attachments: mayHaveAttachments ? attachmentsOf(raw.rowid) : [],
    isSent: raw.isSent === 1,
    isDelivered: raw.isDelivered === 1,
    isRead: raw.isRead === 1,
    error: raw.error ?? 0,
  };
}

function decoded(bytes: Uint8Array): { body: DecodedBody | undefined; decodeError: string | undefined } {
  try {
    const body = decodeBody(bytes);
    return { body, decodeError: body.damage };
  } catch (error) {
    return { body: undefined, decodeError: messageOf(error) };
  }
}

export function toChatInfo(raw: RawChat, handles: readonly string[]): ChatInfo {
  const [, kind = '', ...rest] = raw.guid.split(';');
  return {
    guid: raw.guid,
    identifier: raw.identifier ?? rest.join(';'),
    isGroup: raw.style === null ? kind === '+' : raw.style === GROUP_STYLE,
    service: raw.service ?? '',
    // A person has one handle row for each service.
    participants: [...new Set(handles)],
  };
}

export function toAttachmentInfo(raw: RawAttachment): AttachmentInfo {
  return {
    guid: raw.guid,
    name: raw.transferName ?? basename(raw.filename ?? ''),
    mimeType: raw.mimeType ?? 'application/octet-stream',
    sizeBytes: raw.sizeBytes ?? 0,
  };
}
