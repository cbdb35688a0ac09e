import type { Span } from '../../util/TextPattern.ts';

/** A text in plain characters, for the detectors, and the way back to where they stood. */
export interface FoldedText {
  readonly text: string;
  /** The part of the original text that a part of `text` came from. */
  original(span: Span): Span;
}

/** Takes no room on the screen: joiners, marks of direction, soft hyphens, variation selectors, keycaps, accents, strokes. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}|\p{Cf}|\p{M}/u;
const SPACE = /[\p{Zs}\u2800]/u;
const DASH = /[\p{Pd}\u2212\u00af\u02d7]/u;
const DOT = /[\u00b7\u2022\u2024\u2027\u2219\u22c5\u30fb\uff0e\uff61\u3002]/u;
const DIGIT = /\p{Nd}/u;
/** In circles, raised, with a dot. */
const DRESSED = /\p{No}/u;
const WIDE = /[\uff01-\uff5e]/u;
/** Distinct characters remembered at most: more than any script that has digits. */
const MAX_REMEMBERED = 10_000;

const remembered = new Map<number, string>();

/**
 * What a person would read a number as: digits of other scripts and full-width forms become ASCII, every space a space,
 * every dash a `-`, every middle dot a `.`; what is invisible is left out.
 */
export function foldText(text: string): FoldedText {
  const isAscii = Buffer.byteLength(text) === text.length;
  if (isAscii) return { text, original: (span) => span };
  const origins = new Uint32Array(text.length + 1);
  let folded = '';
  for (let at = 0; at < text.length; ) {
    const point = text.codePointAt(at)!;
    const character = point < 0x80 ? text[at]! : foldCharacter(point);
    for (let unit = 0; unit < character.length; unit++) origins[folded.length + unit] = at;
    folded += character;
    at += point > 0xffff ? 2 : 1;
  }
  origins[folded.length] = text.length;
  const past = (end: number) => {
    if (end === 0) return 0;
    const last = origins[end - 1]!;
    return last + (text.codePointAt(last)! > 0xffff ? 2 : 1);
  };
  return { text: folded, original: ({ start, end }) => ({ start: origins[start]!, end: past(end) }) };
}

function foldCharacter(point: number): string {
  const known = remembered.get(point);
  if (known !== undefined) return known;
  const folded = foldNew(String.fromCodePoint(point), point);
  if (remembered.size < MAX_REMEMBERED) remembered.set(point, folded);
  return folded;
}

function foldNew(character: string, point: number): string {
  if (INVISIBLE.test(character)) return '';
  if (SPACE.test(character)) return ' ';
  if (DOT.test(character)) return '.';
  if (DASH.test(character)) return '-';
  if (DIGIT.test(character)) return String(digitValue(point));
  if (DRESSED.test(character)) return /^\(?(\d+)[.)]?$/.exec(character.normalize('NFKD'))?.[1] ?? character;
  if (WIDE.test(character)) return String.fromCodePoint(point - 0xfee0);
  return character;
}

/** Unicode keeps the decimal digits of a script together, 0 to 9, and sets of them apart or in a row from U+1D7CE on. */
function digitValue(point: number): number {
  if (point >= 0x1d7ce && point <= 0x1d7ff) return (point - 0x1d7ce) % 10;
  let value = 0;
  while (value < 9 && DIGIT.test(String.fromCodePoint(point - value - 1))) value++;
  return value;
}
