import type { ChatRow } from '../chatdb/types.ts';
import type { ReceiptSource } from './ReceiptSource.ts';

/** Rows asked of chat.db at once, and looked at in all: some 100 ms. */
const PAGE = 200;
const MAX_ROWS = 5000;

/**
 * Gives `take` our rows dated `from` (ms since 1970) or later, page by page, until it returns true or there are no more.
 * @returns false when there are more than are looked at
 * @throws EdgeError EDGE_CHATDB_*
 */
export function walkOutgoing(
  source: ReceiptSource,
  from: number,
  take: (page: readonly ChatRow[]) => boolean,
): boolean {
  let after = 0;
  for (let seen = 0; seen < MAX_ROWS; ) {
    const page = source.outgoingSince(from, PAGE, after);
    const last = page.at(-1);
    if (!last || take(page)) return true;
    seen += page.length;
    after = last.rowid;
  }
  return false;
}
