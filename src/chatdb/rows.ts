import { basename } from 'node:path';
import { messageOf } from '../util/EdgeError.ts';
import type { DecodedBody } from './DecodedBody.ts';
import type { RawAttachment, RawChat, RawMessage } from './queries.ts';
import { readBalloon } from './readBalloon.ts';
import { readSummary } from './readSummary.ts';
import { decodeBody } from './typedstream/decodeBody.ts';
import type { Association, AttachmentInfo, ChatInfo, ChatRow, GroupAction, TransferState } from './types.ts';

const GROUP_STYLE = 43;
/** message.associated_message_type of a message; 3 was seen on the words of Watch apps (beeper). */
const MESSAGE_TYPES: readonly number[] = [0, 2, 3];
const ATTACHMENT_PLACEHOLDER = '\ufffc';

/** What stands in the row itself; `attachmentsOf` is asked only for rows that may have some. */
export function toChatRow(
  raw: RawMessage,
  chat: ChatInfo | undefined,
  attachmentsOf: (rowid: number) => readonly AttachmentInfo[],
): ChatRow {
  const bytes = bytesOf(raw.body);
  const { body, decodeError } = bytes ? decoded(bytes) : { body: undefined, decodeError: undefined };
  const text = body?.text ?? (typeof raw.text === 'string' ? raw.text : '');
  const mayHaveAttachments = raw.cacheHasAttachments === 1 || text.includes(ATTACHMENT_PLACEHOLDER);
  const summary = bytesOf(raw.summary);
  return {
    rowid: raw.rowid,
    guid: raw.guid,
    isFromMe: raw.isFromMe === 1,
    dateAt: raw.dateAt ?? undefined,
    rawDate: raw.rawDate ?? '0',
    service: raw.service ?? chat?.service ?? '',
    handle: raw.handle ?? undefined,
    ownAddresses: ownAddresses(raw),
    chat,
    text,
    subject: raw.subject || undefined,
    body,
    decodeError,
    bodyBytes: bytes?.length ?? 0,
    association: associationOf(raw),
    action: actionOf(raw),
    balloon: raw.bundleId ? readBalloon(raw.bundleId, bytesOf(raw.payload)) : undefined,
    replyToGuid: raw.replyToGuid || undefined,
    previousGuid: raw.previousGuid || undefined,
    summary: summary && readSummary(summary),
    editedAt: raw.editedAt ?? undefined,
    isEmpty: raw.isEmpty === 1 || raw.partCount === 0,
    isAudio: raw.isAudio === 1,
    isScheduled: (raw.scheduleType ?? 0) !== 0,
    cacheHasAttachments: raw.cacheHasAttachments === 1,
    attachments: mayHaveAttachments ? inOrderOf(body, attachmentsOf(raw.rowid)) : [],
    isSent: raw.isSent === 1,
    isDelivered: raw.isDelivered === 1,
    isRead: raw.isRead === 1,
    error: raw.error ?? 0,
  };
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array && value.length > 0 ? value : undefined;
}

function ownAddresses({ account, destination }: RawMessage): string[] {
  // `E:me@example.com`, `P:+1555…`, in either case.
  const addresses = [account?.replace(/^[ep]:/i, ''), destination].filter((address) => address);
  return [...new Set(addresses as string[])];
}

/** `p:<part>/<guid>`, `bp:<guid>` for the whole balloon, or the bare guid. */
function associationOf(raw: RawMessage): Association | undefined {
  const type = raw.associatedType ?? 0;
  if (MESSAGE_TYPES.includes(type)) return undefined;
  const [, part, guid] = /^(?:p:(-?\d+)\/|bp:)?(.+)$/.exec(raw.associatedGuid ?? '') ?? [];
  return {
    type,
    targetGuid: guid,
    part: part === undefined ? undefined : Number(part),
    emoji: raw.emoji || undefined,
  };
}

function actionOf(raw: RawMessage): GroupAction | undefined {
  if (!raw.itemType) return undefined;
  return {
    itemType: raw.itemType,
    actionType: raw.actionType ?? 0,
    title: raw.title ?? undefined,
    otherHandle: raw.otherHandle ?? undefined,
    shareStatus: raw.shareStatus ?? 0,
  };
}

function inOrderOf(body: DecodedBody | undefined, attachments: readonly AttachmentInfo[]): readonly AttachmentInfo[] {
  const order = body?.attachments.map(({ guid }) => guid) ?? [];
  if (order.length < 2) return attachments;
  const place = ({ guid }: AttachmentInfo) => (order.includes(guid) ? order.indexOf(guid) : order.length);
  return [...attachments].sort((a, b) => place(a) - place(b));
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
    path: raw.filename ?? undefined,
    transferState: transferStateOf(raw.transferState),
    isSticker: raw.isSticker === 1,
  };
}

/** -1 archiving, 0–4 on its way, 5 finished, 6 error, 7 recoverable (imessage-kit); no column says finished. */
function transferStateOf(state: number | null): TransferState {
  if (state === null || state === 5 || state === -1) return 'finished';
  return state >= 6 ? 'failed' : 'pending';
}
