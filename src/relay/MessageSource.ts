import type { ChatRow } from '../chatdb/types.ts';

/** What taking messages in needs of an open chat.db; rows come in ROWID order. Reads throw EdgeError EDGE_CHATDB_*. */
export interface MessageSource {
  /** 0 when there is no row. */
  maxRowid(): number;
  guidAt(rowid: number): string | undefined;
  rowsAfter(rowid: number, limit: number): ChatRow[];
  /** Rows past `afterRowid` whose date is `dateAt` (ms since 1970) or later. */
  rowsSince(dateAt: number, afterRowid: number, limit: number): ChatRow[];
  rowsByGuid(guids: readonly string[]): ChatRow[];
}
