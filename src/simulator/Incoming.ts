import type { SqlValue } from './ChatDbFile.ts';
import type { BodySegment } from './typedstreamEncoder.ts';

export interface GroupSpec {
  /** chat_identifier: `chat` and digits. */
  readonly id: string;
  /** Handles of the members, without oneself. @default the sender alone */
  readonly participants?: readonly string[];
  readonly name?: string;
}

export interface IncomingAttachment {
  readonly name: string;
  /** null: none, as for some. @default application/octet-stream */
  readonly mimeType?: string | null;
  /** Uniform type identifier. @default none */
  readonly uti?: string;
  /** What is in the file. @default a line that says it is simulated */
  readonly content?: string;
  /** attachment.total_bytes, when it shall differ from the file's size; known before the file is there. */
  readonly sizeBytes?: number;
  /** A download that waits: no file, transfer_state 0. @default false */
  readonly missing?: boolean;
  /** attachment.transfer_state, until the file is there: 0 waiting, 3 on its way, 6 failed. @default 3 with downloadMs */
  readonly transferState?: number;
  /** When the file is there and transfer_state 5, ms after the row. @default at once, unless a state below or above 5 is given */
  readonly downloadMs?: number | 'never';
  readonly isSticker?: boolean;
  /** hide_attachment, as for what belongs to a link's preview. */
  readonly isHidden?: boolean;
}

/** A voice note: a .caf file as the only content. */
export interface IncomingAudio {
  /** What macOS heard in it, as the attribute IMAudioTranscription. @default none */
  readonly transcript?: string;
  /** When the body gets the transcript, ms after the row, or `asked`: see People.fill. @default at once */
  readonly transcriptMs?: number | 'asked';
  /** The file's place in `attachments` is taken by this. @default a file that is there at once */
  readonly file?: Partial<IncomingAttachment>;
}

/** Somebody writes. */
export interface Incoming {
  /** The sender's handle. */
  readonly from: string;
  readonly text?: string;
  /** The body piece by piece (mentions, links, styles, several parts), instead of `text`. */
  readonly segments?: readonly BodySegment[];
  readonly attachments?: readonly IncomingAttachment[];
  /** @default a conversation of two */
  readonly group?: GroupSpec;
  /** iMessage, SMS, RCS, iMessageLite. @default iMessage; iMessageLite for `satellite` */
  readonly service?: string;
  /** What chat.guid begins with: iMessage, SMS, any. @default the service; `any` from macOS 26 on */
  readonly chatPrefix?: string;
  /** Comes, or still waits to go, by satellite. */
  readonly satellite?: boolean;
  readonly audio?: IncomingAudio;
  /** guid of the message this one answers by its writer's choice (thread_originator_guid), and the part of it. */
  readonly replyTo?: string;
  /** @default 0 */
  readonly replyPart?: number;
  /** When it was written, ms since 1970, to the ms. @default now, with digits behind it that no other row has */
  readonly dateAt?: number;
  /** @default a new one */
  readonly guid?: string;
  /** Written by oneself on another device or by hand: a row of one's own to `from`, which no osascript asked for. */
  readonly fromMe?: boolean;
  /** attributedBody as it is, in base64 (damaged ones), or null for none. @default the encoded text */
  readonly body?: string | null;
  /** Whether the text column is filled. @default only on macOS 12 */
  readonly textColumn?: boolean;
  /** The row comes without text and body, and gets them after so many ms, or `asked`: see People.fill. @default at once */
  readonly bodyMs?: number | 'asked';
  /** Until then there is not nothing, but the text cut after so many UTF-16 units. */
  readonly cutTo?: number;
  /** The row of an own message comes as somebody else's, and is_from_me is set after so many ms. @default at once */
  readonly fromMeMs?: number;
  /** The row comes with handle_id 0 and gets it after so many ms. @default at once */
  readonly handleMs?: number;
  /** ms until chat_message_join, or `never`. @default the Mac's delay */
  readonly joinMs?: number | 'never';
  /** ms from there until the attachments' joins. @default the Mac's delay */
  readonly attachmentMs?: number;
  /** Other columns of `message`: item_type, thread_originator_guid, destination_caller_id, … */
  readonly columns?: Readonly<Record<string, SqlValue>>;
}
