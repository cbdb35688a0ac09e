import { isPreviewOf } from '../chatdb/linkPreview.ts';
import type { ChatRow } from '../chatdb/types.ts';
import { senderOf } from './parties.ts';

/** Whether the row is the preview below a text with a link of the same person, who is not oneself. */
export function isLinkPreview(row: ChatRow, byGuid: (guid: string) => ChatRow | undefined): boolean {
  if (row.balloon?.kind !== 'link' || row.previousGuid === undefined) return false;
  const before = byGuid(row.previousGuid);
  if (!before || before.isFromMe || senderOf(before) !== senderOf(row)) return false;
  return isPreviewOf(row, before);
}
