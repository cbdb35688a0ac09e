import type { ChatRow } from '../chatdb/types.ts';

/**
 * What taking messages in needs of an open chat.db; rows come in ROWID order. A page may hold fewer rows than `limit`:
 * only an empty one means the end. Reads throw EdgeError EDGE_CHATDB_*.
 */
export interface MessageSource {
  /** 0 when there is no row. */
  maxRowid(): number;
  guidAt(rowid: number): string | undefined;
  rowsAfter(rowid: number, limit: number): ChatRow[];
  /** Rows past `afterRowid` whose date is `dateAt` (ms since 1970) or later. */
  rowsSince(dateAt: number, afterRowid: number, limit: number): ChatRow[];
  rowsByGuid(guids: readonly string[]): ChatRow[];
  /** Messages of the same chat before this row, newest first. */
  recentOf(row: ChatRow, limit: number): { guid: string; text: string; isFromMe: boolean; handle?: string }[];
  /** Whether its chat has no earlier message. */
  isFirstOfChat(row: ChatRow): boolean;
}
