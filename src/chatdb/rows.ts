import { messageOf } from '../util/EdgeError.ts';
import type { DecodedBody } from './DecodedBody.ts';
import { fileName, isPluginPayload, mimeTypeOf } from './fileKind.ts';
import {
  bytesOf,
  integer,
  type RawAttachment,
  type RawChat,
  type RawMessage,
  type RawPastMessage,
  type RawReceiptState,
} from './rawRows.ts';
import { readBalloon } from './readBalloon.ts';
import { readSummary } from './readSummary.ts';
import { decodeBody, decodeText } from './typedstream/decodeBody.ts';
import type {
  Association,
  AttachmentInfo,
  ChatInfo,
  ChatRow,
  GroupAction,
  PastMessage,
  ReceiptState,
  TransferState,
} from './types.ts';

const GROUP_STYLE = 43;
const ATTACHMENT_PLACEHOLDER = '\ufffc';
const NO_ATTACHMENTS: readonly AttachmentInfo[] = [];

/** What stands in the row itself; `attachmentsOf` is asked only for rows that may have some. */
export function toChatRow(
  raw: RawMessage,
  chat: ChatInfo | undefined,
  attachmentsOf: (rowid: number) => readonly AttachmentInfo[],
): ChatRow {
  const bytes = bytesOf(raw.body);
  let body: DecodedBody | undefined;
  let decodeError: string | undefined;
  if (bytes) {
    try {
      body = decodeBody(bytes);
      decodeError = body.damage;
    } catch (error) {
      decodeError = messageOf(error);
    }
  }
  const text = body?.text ?? raw.text ?? '';
  // Null: the column is missing, so every row may have some.
  const mayHaveAttachments = raw.cacheHasAttachments !== 0 || text.includes(ATTACHMENT_PLACEHOLDER);
  const summary = raw.summary === null ? undefined : bytesOf(raw.summary);
  return {
    rowid: raw.rowid,
    guid: raw.guid,
    isFromMe: raw.isFromMe === 1,
    dateAt: raw.dateAt ?? undefined,
    rawDate: raw.rawDate ?? '0',
    service: raw.service || chat?.service || '',
    handle: raw.handle || undefined,
    ownAddresses: ownAddresses(raw),
    chat,
    text,
    subject: raw.subject || undefined,
    body,
    decodeError,
    bodyBytes: bytes?.length ?? 0,
    association: raw.associatedType === 0 ? undefined : associationOf(raw),
    action: raw.itemType === 0 ? undefined : actionOf(raw),
    balloon: raw.bundleId ? readBalloon(raw.bundleId, bytesOf(raw.payload)) : undefined,
    replyToGuid: raw.replyToGuid || undefined,
    previousGuid: raw.previousGuid || undefined,
    summary: summary && readSummary(summary),
    editedAt: raw.editedAt ?? undefined,
    isEmpty: raw.isEmpty === 1 || raw.partCount === 0,
    isAudio: raw.isAudio === 1,
    isScheduled: integer(raw.scheduleType) !== 0,
    cacheHasAttachments: raw.cacheHasAttachments === 1,
    attachments: mayHaveAttachments ? inOrderOf(body, attachmentsOf(raw.rowid)) : NO_ATTACHMENTS,
    isSent: raw.isSent === 1,
    isDelivered: raw.isDelivered === 1,
    isRead: raw.isRead === 1,
    error: integer(raw.error),
  };
}

function ownAddresses({ account, destination }: RawMessage): string[] {
  // `E:me@example.com`, `P:+1555…`, in either case.
  const own = account?.replace(/^[ep]:/i, '');
  if (!own) return destination ? [destination] : [];
  return destination && destination !== own ? [own, destination] : [own];
}

/** `p:<part>/<guid>`, `bp:<guid>` for the whole balloon, or the bare guid. */
function associationOf(raw: RawMessage): Association | undefined {
  const type = integer(raw.associatedType);
  // Those of a message; 3 was seen on the words of Watch apps (beeper).
  if (type === 0 || type === 2 || type === 3) return undefined;
  const [, part, guid] = /^(?:p:(-?\d{1,9})\/|bp:)?(.+)$/.exec(raw.associatedGuid ?? '') ?? [];
  return {
    type,
    targetGuid: guid,
    part: part === undefined ? undefined : Number(part),
    emoji: raw.emoji || undefined,
  };
}

function actionOf(raw: RawMessage): GroupAction | undefined {
  const itemType = integer(raw.itemType);
  if (itemType === 0) return undefined;
  return {
    itemType,
    actionType: raw.actionType === null ? undefined : integer(raw.actionType),
    title: raw.title ?? undefined,
    otherHandle: raw.otherHandle ?? undefined,
    shareStatus: raw.shareStatus === null ? undefined : integer(raw.shareStatus),
  };
}

function inOrderOf(body: DecodedBody | undefined, attachments: readonly AttachmentInfo[]): readonly AttachmentInfo[] {
  if (!body || body.attachments.length < 2 || attachments.length < 2) return attachments;
  const place = new Map(body.attachments.map(({ guid }, index) => [guid, index]));
  const placeOf = ({ guid }: AttachmentInfo) => place.get(guid) ?? place.size;
  return [...attachments].sort((a, b) => placeOf(a) - placeOf(b));
}

/** The words of a message alone, without its structure. */
export function toPastMessage(raw: RawPastMessage): PastMessage {
  return {
    guid: raw.guid,
    text: textOf(bytesOf(raw.body)) ?? raw.text ?? '',
    isFromMe: raw.isFromMe === 1,
    ...(raw.handle && { handle: raw.handle }),
  };
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  try {
    return bytes && decodeText(bytes);
  } catch {
    return undefined; // as toChatRow does: the text column, then
  }
}

export function toReceiptState(raw: RawReceiptState): ReceiptState {
  return {
    rowid: raw.rowid,
    guid: raw.guid,
    isSent: raw.isSent === 1,
    isDelivered: raw.isDelivered === 1,
    ...(raw.deliveredAt !== null && { deliveredAt: raw.deliveredAt }),
    ...(raw.readAt !== null && { readAt: raw.readAt }),
    error: integer(raw.error),
  };
}

export function toChatInfo(raw: RawChat, handles: readonly string[]): ChatInfo {
  const [, kind = '', ...rest] = raw.guid.split(';');
  const style = integer(raw.style);
  return {
    guid: raw.guid,
    identifier: raw.identifier ?? rest.join(';'),
    isGroup: style === 0 ? kind === '+' : style === GROUP_STYLE,
    service: raw.service ?? '',
    // A person has one handle row for each service.
    participants: [...new Set(handles)],
  };
}

/** Undefined for what no person sees in the conversation: parts of previews and of apps' balloons. */
export function toAttachmentInfo(raw: RawAttachment): AttachmentInfo | undefined {
  const name = fileName(raw.transferName, raw.filename);
  if (raw.isHidden === 1 || isPluginPayload(name)) return undefined;
  return {
    guid: raw.guid,
    name,
    mimeType: mimeTypeOf(raw.mimeType, raw.uti, name),
    sizeBytes: Math.max(0, integer(raw.sizeBytes)),
    path: raw.filename || undefined,
    transferState: transferStateOf(integer(raw.transferState, FINISHED)),
    isSticker: raw.isSticker === 1,
  };
}

const FINISHED = 5;

/** -1 archiving, 0–4 on its way, 5 finished, 6 error, 7 recoverable (imessage-kit); no column says finished. */
function transferStateOf(state: number): TransferState {
  if (state === FINISHED || state === -1) return 'finished';
  return state > FINISHED ? 'failed' : 'pending';
}
