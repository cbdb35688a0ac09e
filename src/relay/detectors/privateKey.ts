import type { Span } from '../../util/TextPattern.ts';

// Two dashes are enough: keyboards turn pairs of them into long ones.
const BEGIN = /-{2,5} ?BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)? ?-{2,5}/g;
const END = /-{2,5} ?END (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)? ?-{2,5}/g;
/** A word of a key's body: base64 in lines of 64 or 76 characters (RFC 7468, RFC 4880). */
const BODY_WORD = /^[A-Za-z0-9+/=]{20,}$/;
const LAST_WORD = /^[A-Za-z0-9+/=]+$/;

/** Private keys in PEM or PGP armour, also where the text begins or ends in the middle of one. */
export function findPrivateKeys(text: string): Span[] {
  const ends = [...text.matchAll(END)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
  const spans: Span[] = [];
  let covered = 0;
  let next = 0;
  for (const { index: start } of text.matchAll(BEGIN)) {
    if (start < covered) continue;
    for (; next < ends.length && ends[next]!.end <= start; next++) pushTail(ends[next]!);
    covered = ends[next++]?.end ?? text.length;
    spans.push({ start, end: covered });
  }
  for (; next < ends.length; next++) pushTail(ends[next]!);
  return spans;

  /** The end of a key that began in another message. */
  function pushTail(end: Span): void {
    spans.push({ start: bodyBefore(text, covered, end.start), end: end.end });
    covered = end.end;
  }
}

/** Where the words of base64 begin that stand before `end`, at or after `from`. The last line of a key may be short. */
function bodyBefore(text: string, from: number, end: number): number {
  let start = end;
  for (let isLast = true; start > from; isLast = false) {
    let wordEnd = start;
    while (wordEnd > from && /\s/.test(text[wordEnd - 1]!)) wordEnd--;
    let wordStart = wordEnd;
    while (wordStart > from && !/\s/.test(text[wordStart - 1]!)) wordStart--;
    const word = text.slice(wordStart, wordEnd);
    if (!(isLast ? LAST_WORD : BODY_WORD).test(word)) break;
    start = wordStart;
  }
  return start;
}
