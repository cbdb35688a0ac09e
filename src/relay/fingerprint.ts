import { hash } from 'node:crypto';
import type { ChatRow } from '../chatdb/types.ts';

/** Knows a message under another guid; undefined without a sender or a date. */
export function fingerprintOf(row: ChatRow): string | undefined {
  if (row.handle === undefined || row.rawDate === '0') return undefined;
  const text = row.summary?.edits.get(0)?.[0]?.text ?? row.text;
  const parts = [row.handle, row.rawDate, text, ...row.attachments.map(({ name }) => name)];
  return hash('sha1', parts.join('\0'), 'base64');
}
