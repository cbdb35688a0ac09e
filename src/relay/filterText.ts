import type { Steps } from '../util/TextPattern.ts';
import { EDGE } from './privacy.ts';

/** Longest text handed over, bytes of UTF-8; the rest is cut and said so. No person types as much in one message. */
export const MAX_TEXT_BYTES = 256 * 1024;
/** Characters looked at by the privacy filter: as much as can end up in the text, twice over. */
const MAX_FILTERED_CHARACTERS = 2 * MAX_TEXT_BYTES;

/** Longest such text in JSON, where a control character or half of a pair takes six bytes. */
const MAX_JSON_BYTES = 2 * MAX_TEXT_BYTES;

/** The part of the privacy filter that looks at words. */
export interface Redactor {
  /** `codes`: one-time codes that Messages itself marked in the text. */
  redact(text: string, hints?: { codes?: string[]; steps?: Steps }): { text: string; redacted: string[] };
}

/** A text as it may leave this Mac: without what the privacy settings keep, and of bounded length. */
export function filterText(
  whole: string,
  privacy: Redactor,
  { maxBytes = MAX_TEXT_BYTES, ...hints }: { maxBytes?: number; codes?: string[]; steps?: Steps } = {},
): { text: string; redacted: string[]; truncated: boolean } {
  const { text, redacted } = privacy.redact(whole.slice(0, MAX_FILTERED_CHARACTERS), hints);
  const isWhole = whole.length <= MAX_FILTERED_CHARACTERS;
  // Half of a pair is no character: strict readers of JSON take none.
  const bytes = Buffer.from(isWhole ? text : text.slice(0, -EDGE), 'utf8');
  const length = Math.min(maxBytes, lengthInJson(bytes, (maxBytes * MAX_JSON_BYTES) / MAX_TEXT_BYTES));
  if (bytes.length <= length && isWhole) return { text: text.toWellFormed(), redacted, truncated: false };
  return { text: cut(bytes, length), redacted, truncated: true };
}

/** How many of the bytes have no more than `limit` bytes in JSON. */
function lengthInJson(bytes: Buffer, limit: number): number {
  let left = limit;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    left -= byte < 0x20 ? 6 : byte === 0x22 || byte === 0x5c ? 2 : 1;
    if (left < 0) return at;
  }
  return bytes.length;
}

/** At most `limit` bytes, ending with a whole character: bytes 10xxxxxx go on with one that began before. */
function cut(bytes: Buffer, limit: number): string {
  let end = Math.min(limit, bytes.length);
  while (end < bytes.length && end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
