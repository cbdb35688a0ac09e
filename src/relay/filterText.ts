/** Longest text handed over, bytes of UTF-8; the rest is cut and said so. No person types as much in one message. */
export const MAX_TEXT_BYTES = 256 * 1024;
/** Characters looked at by the privacy filter: as much as can end up in the text, twice over. */
const MAX_FILTERED_CHARACTERS = 2 * MAX_TEXT_BYTES;

/** The part of the privacy filter that looks at words. */
export interface Redactor {
  /** `codes`: one-time codes that Messages itself marked in the text. */
  redact(text: string, hints?: { codes?: string[] }): { text: string; redacted: string[] };
}

/** A text as it may leave this Mac: without what the privacy settings keep, and of bounded length. */
export function filterText(
  whole: string,
  privacy: Redactor,
  { maxBytes = MAX_TEXT_BYTES, codes = [] }: { maxBytes?: number; codes?: string[] } = {},
): { text: string; redacted: string[]; truncated: boolean } {
  const { text, redacted } = privacy.redact(whole.slice(0, MAX_FILTERED_CHARACTERS), { codes });
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= maxBytes && whole.length <= MAX_FILTERED_CHARACTERS) return { text, redacted, truncated: false };
  return { text: cut(bytes, maxBytes), redacted, truncated: true };
}

/** At most `limit` bytes, ending with a whole character: bytes 10xxxxxx go on with one that began before. */
function cut(bytes: Buffer, limit: number): string {
  let end = Math.min(limit, bytes.length);
  while (end < bytes.length && end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
