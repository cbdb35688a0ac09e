import type { ChatRow, RevisionPage } from '../chatdb/types.ts';

/** Rows that may have been edited: dated `sinceAt` (ms since 1970) or later, or with ROWID `fromRowid` or higher. */
export interface ChangeWindow {
  readonly sinceAt: number;
  readonly fromRowid: number;
}

/** What the watch for changes needs of an open chat.db. Reads throw EdgeError EDGE_CHATDB_*. */
export interface ChangeSource {
  /** 0 when there is no row. */
  maxRowid(): number;
  /**
   * Edited rows of the window past ROWID `after`, by ROWID, at most `limit`, after some 2,000 examined. `examinedTo` is
   * where to go on, undefined when the window is through, as it is at once where chat.db has no date_edited.
   */
  revisions(window: ChangeWindow, after: number, limit: number): RevisionPage;
  rowsByGuid(guids: readonly string[]): ChatRow[];
}
