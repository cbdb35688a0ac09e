import type { ChatRow, ReceiptState, ThreadChat } from '../chatdb/types.ts';

/** What sending needs of chat.db. Each call may throw EdgeError EDGE_CHATDB_*. */
export interface ReceiptSource {
  maxRowid(): number;
  /**
   * Rows with is_from_me = 1 past `rowid`, by ROWID, those dated before `sinceAt` (ms since 1970; default: none) left out.
   * Maybe fewer than `limit`: only an empty array means the end.
   */
  outgoingAfter(rowid: number, limit: number, sinceAt?: number): ChatRow[];
  /** The same by date alone (ms since 1970), for when ROWIDs of the database before mean nothing here. */
  outgoingSince(dateAt: number, limit: number, afterRowid?: number): ChatRow[];
  /** What became of these rows; no body is read. */
  receiptStates(rowids: readonly number[]): readonly ReceiptState[];
  rowsByGuid(guids: readonly string[]): ChatRow[];
  /** Of several chats with this chat_identifier the one that was written in last. */
  chatOf(threadId: string): ThreadChat | undefined;
}
