import type { AttachmentInfo, ChatRow } from '../../src/chatdb/types.ts';

/** A row of chat.db with nothing in it but what `change` puts there. */
export function chatRow(change: Partial<ChatRow> & Pick<ChatRow, 'rowid' | 'guid'>): ChatRow {
  return {
    isFromMe: false,
    dateAt: undefined,
    rawDate: String(change.rowid),
    service: 'iMessage',
    handle: undefined,
    ownAddresses: [],
    chat: undefined,
    text: '',
    subject: undefined,
    body: undefined,
    decodeError: undefined,
    bodyBytes: 0,
    association: undefined,
    action: undefined,
    balloon: undefined,
    replyToGuid: undefined,
    previousGuid: undefined,
    summary: undefined,
    editedAt: undefined,
    isEmpty: false,
    isAudio: false,
    isScheduled: false,
    cacheHasAttachments: false,
    attachments: [],
    isSent: false,
    isDelivered: false,
    isRead: false,
    error: 0,
    ...change,
  };
}

/** An attachment that is there. */
export function attachment(change: Partial<AttachmentInfo> & Pick<AttachmentInfo, 'guid'>): AttachmentInfo {
  return {
    name: 'a.jpg',
    mimeType: 'image/jpeg',
    sizeBytes: 7,
    path: '~/Library/Messages/Attachments/a.jpg',
    transferState: 'finished',
    isSticker: false,
    ...change,
  };
}
