import type { ChatRow, RevisionPage, RevisionPlace } from '../chatdb/types.ts';

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
   * Edited rows of the window past the place `after`, at most `limit`, after some 2,000 examined. `examinedTo` is where
   * to go on, undefined when the window is through.
   */
  revisions(window: ChangeWindow, after: RevisionPlace | undefined, limit: number): RevisionPage;
  rowsByGuid(guids: readonly string[]): ChatRow[];
}
