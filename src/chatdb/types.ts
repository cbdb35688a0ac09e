import type { DecodedBody } from './DecodedBody.ts';

/** Which file chat.db is: a replaced or rebuilt one has another. Strings, because inodes may pass 2^53. */
export interface FileIdentity {
  readonly dev: string;
  readonly ino: string;
}

export interface ChatInfo {
  /** chat.guid as stored now, e.g. `iMessage;-;+15550100002` or `any;+;chat831…`; use it only for sending. */
  readonly guid: string;
  /** chat.chat_identifier: the part after the second `;`. */
  readonly identifier: string;
  /** chat.style 43 is a group, 45 a conversation of two. */
  readonly isGroup: boolean;
  /** chat.service_name: iMessage, SMS, RCS. */
  readonly service: string;
  /** handle.id of the members, without oneself. */
  readonly participants: readonly string[];
}

export interface AttachmentInfo {
  readonly guid: string;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
}

/** One row of chat.db's message table with what belongs to it, as far as it is written yet. */
export interface ChatRow {
  readonly rowid: number;
  readonly guid: string;
  readonly isFromMe: boolean;
  /** When it was written: ms since 1970; undefined where the column is 0, negative or absurd. */
  readonly dateAt: number | undefined;
  readonly service: string;
  /** handle.id of the other party: the sender of an inbound row; undefined for own group rows and unfinished rows. */
  readonly handle: string | undefined;
  /** Undefined until chat_message_join is written (some ms later) or when the row never had one. */
  readonly chat: ChatInfo | undefined;
  /** decode(attributedBody) ?? text ?? '': with placeholders (U+FFFC) as stored. */
  readonly text: string;
  /** Undefined without an attributedBody, or where decoding failed (see decodeError). */
  readonly body: DecodedBody | undefined;
  /** Why there is no body, or, beside a body, why it was not read to its end (DecodedBody.damage). */
  readonly decodeError: string | undefined;
  readonly hasBody: boolean;
  /** message.item_type: 0 a message, else a group or system event. */
  readonly itemType: number;
  /** message.associated_message_type: 0, 2, 3 a message; 1000–4000 stickers, tapbacks, votes. */
  readonly associatedType: number;
  readonly replyToGuid: string | undefined;
  readonly cacheHasAttachments: boolean;
  readonly attachments: readonly AttachmentInfo[];
  readonly isSent: boolean;
  readonly isDelivered: boolean;
  readonly isRead: boolean;
  /** message.error: 0 none; 22 not reachable on the service, 25 attachment unreadable, 4 time-out. */
  readonly error: number;
}
