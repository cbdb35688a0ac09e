import type { Balloon } from './Balloon.ts';
import type { DecodedBody } from './DecodedBody.ts';
import type { MessageSummary } from './MessageSummary.ts';

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

/** The chat of a thread that is written to. */
export interface ThreadChat extends ChatInfo {
  /** message.service of the thread's newest row that was not refused; undefined where there is none. */
  readonly newestService?: string | undefined;
}

/** attachment.transfer_state, as far as it matters: whether the file is there, may still come, or will not. */
export type TransferState = 'finished' | 'pending' | 'failed';

export interface AttachmentInfo {
  readonly guid: string;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  /** Where the file is, with `~` as stored; undefined while Messages has not chosen a place. */
  readonly path: string | undefined;
  readonly transferState: TransferState;
  readonly isSticker: boolean;
}

/** What a tapback, a sticker or a vote points to: associated_message_type 1000 and up. */
export interface Association {
  /** 1000 sticker; 2000–2007 tapback; 3000–3007 taken back; 4000 vote. */
  readonly type: number;
  /** guid of the message it belongs to. */
  readonly targetGuid: string | undefined;
  /** Part of that message; undefined when it belongs to the whole balloon. */
  readonly part: number | undefined;
  /** associated_message_emoji, macOS 15 and later. */
  readonly emoji: string | undefined;
}

/** A row that says what happened in a conversation: item_type 1 and up. Undefined is what this chat.db has no column for. */
export interface GroupAction {
  readonly itemType: number;
  /** message.group_action_type */
  readonly actionType: number | undefined;
  readonly title: string | undefined;
  /** handle.id of who was added or removed; '' for nobody. */
  readonly otherHandle: string | undefined;
  /** message.share_status: 0 location sharing began, 1 it ended. */
  readonly shareStatus: number | undefined;
}

/** One row of chat.db's message table with what belongs to it, as far as it is written yet. */
export interface ChatRow {
  readonly rowid: number;
  readonly guid: string;
  readonly isFromMe: boolean;
  /** When it was written: ms since 1970; undefined where the column is 0, negative or absurd. */
  readonly dateAt: number | undefined;
  /** message.date as stored, in decimal digits: ms lose what tells two messages of one ms apart. `0` where it is none. */
  readonly rawDate: string;
  /** As stored: iMessage, SMS, RCS (in any case), iMessageLite (by satellite). */
  readonly service: string;
  /** handle.id of the other party: the sender of an inbound row; undefined for own group rows and unfinished rows. */
  readonly handle: string | undefined;
  /** The own addresses the row names (message.account without `E:` or `P:`, destination_caller_id). */
  readonly ownAddresses: readonly string[];
  /** Undefined until chat_message_join is written (some ms later) or when the row never had one. */
  readonly chat: ChatInfo | undefined;
  /** decode(attributedBody) ?? text ?? '': with placeholders (U+FFFC) as stored. */
  readonly text: string;
  /** The subject line, where one was written. */
  readonly subject: string | undefined;
  /** Undefined without an attributedBody, or where decoding failed (see decodeError). */
  readonly body: DecodedBody | undefined;
  /** Why there is no body, or, beside a body, why it was not read to its end (DecodedBody.damage). */
  readonly decodeError: string | undefined;
  /** Size of attributedBody; 0 without one. */
  readonly bodyBytes: number;
  /** Undefined for a message: associated_message_type 0, 2 and 3. */
  readonly association: Association | undefined;
  /** Undefined for a message: item_type 0. */
  readonly action: GroupAction | undefined;
  /** message.balloon_bundle_id with what payload_data says of it. */
  readonly balloon: Balloon | undefined;
  /** The message this one answers, by a person's choice (thread_originator_guid). */
  readonly replyToGuid: string | undefined;
  /** message.reply_to_guid: the message before it in the chat; joins a link's preview to its text. */
  readonly previousGuid: string | undefined;
  /** message_summary_info: edits, unsent parts; undefined without one or where it is damaged. */
  readonly summary: MessageSummary | undefined;
  /** When it was last edited or unsent (date_edited), ms since 1970. */
  readonly editedAt: number | undefined;
  /** message.is_empty or part_count 0: nothing of it is left. */
  readonly isEmpty: boolean;
  readonly isAudio: boolean;
  /** schedule_type is set: a Send Later row, whose date lies ahead. */
  readonly isScheduled: boolean;
  readonly cacheHasAttachments: boolean;
  /** In order of their placeholders in the body; those it does not name come last. */
  readonly attachments: readonly AttachmentInfo[];
  readonly isSent: boolean;
  readonly isDelivered: boolean;
  readonly isRead: boolean;
  /** message.error: 0 none; 22 not reachable on the service, 25 attachment unreadable, 4 time-out. */
  readonly error: number;
}

/** A row that was edited, or of which something was unsent. */
export interface Revision {
  readonly rowid: number;
  readonly guid: string;
  /** date_edited, ms since 1970. */
  readonly editedAt: number;
  readonly isFromMe: boolean;
}

/** A place in a walk through rows that may have been edited; what it says is the affair of who gave it. */
export type RevisionPlace = string;

export interface RevisionPage {
  /** Each with the place behind it. */
  readonly found: readonly (Revision & { readonly place: RevisionPlace })[];
  /** Where the next page begins, as its `after`; undefined when the window is through. */
  readonly examinedTo: RevisionPlace | undefined;
}

/** What became of a message of ours. */
export interface ReceiptState {
  readonly rowid: number;
  readonly guid: string;
  readonly isSent: boolean;
  readonly isDelivered: boolean;
  /** ms since 1970; absent while it was not, and where the date is absurd. */
  readonly deliveredAt?: number;
  /** When the other party read it; absent where no read receipt came. */
  readonly readAt?: number;
  /** As ChatRow.error. */
  readonly error: number;
}

/** A message of the past, as far as its words matter. */
export interface PastMessage {
  readonly guid: string;
  readonly text: string;
  readonly isFromMe: boolean;
  readonly handle?: string;
}
