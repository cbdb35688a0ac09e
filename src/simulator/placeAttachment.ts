import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AttachmentRow } from './ChatRows.ts';
import type { IncomingAttachment } from './Incoming.ts';

/** attachment.transfer_state */
export const TRANSFER = { waiting: 0, underway: 3, finished: 5 } as const;

/** An attachment with its place in the Mac's folder. */
export interface PlacedAttachment {
  readonly row: AttachmentRow;
  /** Puts the file where Messages would: Attachments/xx/yy/<guid>/name. */
  readonly writeFile: () => void;
  /** When that is to be, ms from now; undefined for never. */
  readonly downloadMs: number | undefined;
}

export function placeAttachment(
  attachmentsPath: string,
  guid: string,
  attachment: IncomingAttachment,
  o: { dateAt: number; isOutgoing: boolean },
): PlacedAttachment {
  const content = attachment.content ?? 'A simulated attachment.\n';
  const place = `${guid.slice(-2).toLowerCase()}/${guid.slice(-4, -2).toLowerCase()}/${guid}/${attachment.name}`;
  const downloadMs = downloadOf(attachment);
  const before = attachment.missing || downloadMs === undefined ? TRANSFER.waiting : TRANSFER.underway;
  return {
    row: {
      guid,
      name: attachment.name,
      mimeType: attachment.mimeType === undefined ? 'application/octet-stream' : attachment.mimeType,
      uti: attachment.uti ?? null,
      sizeBytes: attachment.sizeBytes ?? Buffer.byteLength(content),
      filename: `~/Library/Messages/Attachments/${place}`,
      transferState: downloadMs === 0 ? TRANSFER.finished : (attachment.transferState ?? before),
      isSticker: attachment.isSticker ?? false,
      isHidden: attachment.isHidden ?? false,
      ...o,
    },
    writeFile: () => {
      mkdirSync(dirname(join(attachmentsPath, place)), { recursive: true });
      writeFileSync(join(attachmentsPath, place), content);
    },
    downloadMs,
  };
}

function downloadOf({
  missing,
  downloadMs,
  transferState = TRANSFER.finished,
}: IncomingAttachment): number | undefined {
  if (downloadMs === 'never' || (missing && downloadMs === undefined)) return undefined;
  if (downloadMs === undefined && transferState !== TRANSFER.finished) return undefined;
  return downloadMs ?? 0;
}
