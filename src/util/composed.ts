/** Longer runs of combining marks are in no language; Unicode's Stream-Safe Text Format (UAX 15, 13) has the same limit. */
const LONG_RUN = /\p{M}{30}/gu;
/** COMBINING GRAPHEME JOINER: invisible, and marks are not sorted past it. */
const JOINER = '\u034f';

/**
 * NFC, in linear time. Sorting a run of marks takes the square of its length, and a stranger may write one of any
 * length: 120,000 marks took four seconds. Long runs are therefore sorted in pieces, the same ones for the same text.
 */
export function composed(text: string): string {
  return text.replace(LONG_RUN, `$&${JOINER}`).normalize('NFC');
}
