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
  /** @default application/octet-stream */
  readonly mimeType?: string;
  /** What is in the file. @default a line that says it is simulated */
  readonly content?: string;
  /** attachment.total_bytes, when it shall differ from the file's size. */
  readonly sizeBytes?: number;
  /** No file is written, as while a download waits. @default false */
  readonly missing?: boolean;
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
  /** @default iMessage */
  readonly service?: string;
  /** When it was written, ms since 1970. @default now */
  readonly dateAt?: number;
  /** @default a new one */
  readonly guid?: string;
  /** Written by oneself on another device or by hand: a row of one's own to `from`, which no osascript asked for. */
  readonly fromMe?: boolean;
  /** attributedBody as it is, in base64 (damaged ones), or null for none. @default the encoded text */
  readonly body?: string | null;
  /** Whether the text column is filled. @default only on macOS 12 */
  readonly textColumn?: boolean;
  /** The row comes without text and body, and gets them after so many ms. @default at once */
  readonly bodyMs?: number;
  /** The row comes with handle_id 0 and gets it after so many ms. @default at once */
  readonly handleMs?: number;
  /** ms until chat_message_join, or `never`. @default the Mac's delay */
  readonly joinMs?: number | 'never';
  /** ms from there until the attachments' joins. @default the Mac's delay */
  readonly attachmentMs?: number;
  /** Other columns of `message`: item_type, thread_originator_guid, destination_caller_id, … */
  readonly columns?: Readonly<Record<string, SqlValue>>;
}

/** The tapbacks that have a number of their own (associated_message_type). */
export const TAPBACKS = {
  love: { type: 2000, words: 'Loved' },
  like: { type: 2001, words: 'Liked' },
  dislike: { type: 2002, words: 'Disliked' },
  laugh: { type: 2003, words: 'Laughed at' },
  emphasize: { type: 2004, words: 'Emphasized' },
  question: { type: 2005, words: 'Questioned' },
  emoji: { type: 2006, words: 'Reacted to' },
} as const;

/** Somebody reacts to a message. */
export interface Reaction {
  readonly from: string;
  /** guid of the message. */
  readonly target: string;
  readonly kind: keyof typeof TAPBACKS;
  /** For kind `emoji`, macOS 15 and later. */
  readonly emoji?: string;
  /** Part of the message. @default 0 */
  readonly part?: number;
  /** The reaction is taken back. @default false */
  readonly removed?: boolean;
}
