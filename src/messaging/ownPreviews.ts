import { isPreviewOf } from '../chatdb/linkPreview.ts';
import type { ChatRow } from '../chatdb/types.ts';
import type { ReceiptSource } from './ReceiptSource.ts';

/** Rows of ours looked at behind a text, of which one may be its preview: it comes within some seconds. */
const BEHIND = 50;

/**
 * Those of `rows`, by guid, that are the preview below a text of ours with a link. A text has one preview, the first link
 * row that is joined to it; any further one is a bubble. Where Messages draws none, that first row is a bubble, too, if
 * what followed the text was the bare link; nothing in chat.db tells the two apart.
 * @throws EdgeError EDGE_CHATDB_*
 */
export function ownPreviews(source: ReceiptSource, rows: readonly ChatRow[]): ReadonlySet<string> {
  const links = rows.filter(({ isFromMe, balloon }) => isFromMe && balloon?.kind === 'link');
  const guids = new Set(links.flatMap(({ previousGuid }) => previousGuid ?? []));
  if (guids.size === 0) return guids;
  const texts = source.rowsByGuid([...guids]).filter(({ isFromMe }) => isFromMe);
  return new Set(
    texts.flatMap((text) => {
      const own = links.filter((row) => isPreviewOf(row, text));
      if (own.length === 0) return [];
      const first = [...source.outgoingAfter(text.rowid, BEHIND), ...own].find((row) => isPreviewOf(row, text));
      return first?.guid ?? [];
    }),
  );
}
