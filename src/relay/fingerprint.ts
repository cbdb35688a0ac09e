import { hash } from 'node:crypto';
import type { ChatRow } from '../chatdb/types.ts';
import { composed } from '../util/composed.ts';
import { senderOf } from './parties.ts';

/** Of a text that is longer its length stands for the rest: 16 MB would take a fifth of a second. */
const MAX_CHARACTERS = 512 * 1024;
/** Placeholders come and go while Messages writes a row. */
const PLACEHOLDERS = /[\ufffc\ufffd]/g;

/** A short name for a content: equal for equal parts, over restarts and machines. */
export function digest(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 32);
}

/**
 * What stays the same when iCloud inserts a message again under another ROWID and guid: who wrote it, when, to the last
 * digit, and what it said first. Undefined where a row does not say who or when.
 */
export function fingerprintOf(row: ChatRow): string | undefined {
  const sender = row.isFromMe ? undefined : senderOf(row);
  if (sender === undefined || row.rawDate === '' || row.rawDate === '0') return undefined;
  const names = row.attachments.map(({ name }) => name);
  const whole = originalText(row);
  const text = composed(whole.slice(0, MAX_CHARACTERS).replace(PLACEHOLDERS, '')).trim();
  const length = whole.length > MAX_CHARACTERS ? [whole.length] : [];
  return digest([sender, row.rawDate, row.subject ?? '', text, names, ...length]);
}

/** The text before any edit: of each edited part its first version. */
function originalText(row: ChatRow): string {
  const edits = row.summary?.edits;
  if (!edits || edits.size === 0) return row.text;
  const parts = row.body?.parts ?? [];
  const now = new Map(parts.map(({ index, start, length }) => [index, row.text.slice(start, start + length)]));
  const indexes = [...new Set([...now.keys(), ...edits.keys()])].sort((a, b) => a - b);
  return indexes.map((index) => edits.get(index)?.[0]?.text ?? now.get(index) ?? '').join('');
}
