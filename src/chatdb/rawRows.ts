/**
 * Rows as SQLite gives them. SQLite keeps any type in any column: names and texts are cast to text by the queries, what
 * should be an integer is `unknown` here and is read by `integer`.
 */
export interface RawMessage {
  rowid: number;
  guid: string;
  text: string | null;
  body: unknown;
  dateAt: number | null;
  service: string | null;
  handle: string | null;
  isFromMe: unknown;
  itemType: unknown;
  /** Digits, or null where the column holds no integer. */
  rawDate: string | null;
  subject: string | null;
  account: string | null;
  destination: string | null;
  /** This and the next three: null where the column is missing. */
  actionType: unknown;
  title: string | null;
  otherHandle: string | null;
  shareStatus: unknown;
  associatedType: unknown;
  associatedGuid: string | null;
  emoji: string | null;
  bundleId: string | null;
  payload: unknown;
  replyToGuid: string | null;
  previousGuid: string | null;
  summary: unknown;
  editedAt: number | null;
  isEmpty: unknown;
  partCount: unknown;
  isAudio: unknown;
  scheduleType: unknown;
  /** Null where the column is missing. */
  cacheHasAttachments: unknown;
  isSent: unknown;
  isDelivered: unknown;
  isRead: unknown;
  error: unknown;
  chatRowid: string | null;
}

/** ROWIDs of chats are digits: the join may hold any integer, and numbers past 2^53 would name another chat. */
export interface RawChat {
  rowid: string;
  guid: string;
  identifier: string | null;
  style: unknown;
  service: string | null;
}

export interface RawAttachment {
  guid: string;
  transferName: string | null;
  filename: string | null;
  mimeType: string | null;
  uti: string | null;
  sizeBytes: unknown;
  transferState: unknown;
  isSticker: unknown;
  isHidden: unknown;
}

export interface RawRevision {
  rowid: number;
  guid: string;
  editedAt: number | null;
  isFromMe: unknown;
  /** Digits, where the column holds an integer. */
  date: string | null;
}

export interface RawReceiptState {
  rowid: number;
  guid: string;
  isSent: unknown;
  isDelivered: unknown;
  deliveredAt: number | null;
  readAt: number | null;
  error: unknown;
}

export type RawPastMessage = Pick<RawMessage, 'guid' | 'text' | 'body' | 'isFromMe' | 'handle'>;

/** The integer in a column, `otherwise` where it holds none, or one past 2^53 that was rounded on its way. */
export function integer(value: unknown, otherwise = 0): number {
  return Number.isSafeInteger(value) ? (value as number) : otherwise;
}

/** The bytes in a column, undefined where there are none. Text is what a tool that knows no blobs made of them. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') return value === '' ? undefined : Buffer.from(value);
  return value instanceof Uint8Array && value.length > 0 ? value : undefined;
}
