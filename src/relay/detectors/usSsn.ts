import type { Span } from '../../util/TextPattern.ts';

/** Areas 000, 666 and 900 to 999, group 00 and serial 0000 are never given out (SSA). */
const VALID = String.raw`(?!000|666|9)\d{3}SEPARATOR(?!00)\d{2}SEPARATOR(?!0000)\d{4}(?!\d)(?!-\d)`;
const GROUPED = new RegExp(String.raw`(?<!\d)(?<!\d-)${VALID.replaceAll('SEPARATOR', '[ .\\-]{1,2}')}`, 'g');
/** Nine digits in a row are a number of anything, unless the text says what. */
const NAMED = new RegExp(
  String.raw`(?:\bssn|social\s+security)[^\d]{0,30}(${VALID.replaceAll('SEPARATOR', '')})`,
  'gi',
);

/** US social security numbers, in their three groups or named as what they are. */
export function findUsSsns(text: string): Span[] {
  const grouped = [...text.matchAll(GROUPED)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }));
  const named = [...text.matchAll(NAMED)].map((match) => {
    const end = match.index + match[0].length;
    return { start: end - match[1]!.length, end };
  });
  return [...grouped, ...named];
}
