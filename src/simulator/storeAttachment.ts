import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttachmentRow } from './ChatRows.ts';
import type { IncomingAttachment } from './Incoming.ts';

/** Puts the file where Messages would, Attachments/xx/yy/<guid>/name, and returns its row. */
export function storeAttachment(
  attachmentsPath: string,
  guid: string,
  attachment: IncomingAttachment,
  o: { dateAt: number; isOutgoing: boolean },
): AttachmentRow {
  const content = attachment.content ?? 'A simulated attachment.\n';
  const place = `${guid.slice(-2).toLowerCase()}/${guid.slice(-4, -2).toLowerCase()}/${guid}`;
  if (!attachment.missing) {
    mkdirSync(join(attachmentsPath, place), { recursive: true });
    writeFileSync(join(attachmentsPath, place, attachment.name), content);
  }
  return {
    guid,
    name: attachment.name,
    mimeType: attachment.mimeType ?? 'application/octet-stream',
    sizeBytes: attachment.sizeBytes ?? Buffer.byteLength(content),
    filename: `~/Library/Messages/Attachments/${place}/${attachment.name}`,
    ...o,
  };
}
