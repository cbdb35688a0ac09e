import type { Span } from '../../util/TextPattern.ts';

/** Digits as people write card numbers down: in groups, up to three characters between two digits. */
const RUN = /\d(?:[\s._/-]{0,3}\d){12,}/g;
/** Card numbers have 13 to 19 digits (ISO/IEC 7812). */
const SHORTEST = 13;
const LONGEST = 19;
/** What a digit counts when it is doubled (Luhn). */
const DOUBLED = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];

/** Payment cards: whole groups of digits that pass the Luhn check and begin with 2 to 6, as the schemes in use do. */
export function findPaymentCards(text: string): Span[] {
  return [...text.matchAll(RUN)].flatMap((run) => cardsIn(run[0], run.index));
}

/** Candidates that overlap are found as one: which of them was meant, nobody can tell. */
function cardsIn(run: string, offset: number): Span[] {
  const { digits, places, count } = digitsOf(run);
  const spans: Span[] = [];
  for (let first = 0; first < count; first++) {
    const beginsGroup = first === 0 || places[first]! > places[first - 1]! + 1;
    if (!beginsGroup || digits[first]! < 2 || digits[first]! > 6) continue;
    const last = lastOfCard(digits, places, count, first);
    if (last === undefined) continue;
    const start = offset + places[first]!;
    const end = offset + places[last]! + 1;
    const before = spans.at(-1);
    if (before === undefined || start >= before.end) spans.push({ start, end });
    else spans[spans.length - 1] = { start: before.start, end: Math.max(before.end, end) };
  }
  return spans;
}

/** The digits of a run and where they stand in it. Arrays of numbers: a text may be half a million digits. */
function digitsOf(run: string) {
  const digits = new Uint8Array(run.length);
  const places = new Uint32Array(run.length);
  let count = 0;
  for (let at = 0; at < run.length; at++) {
    const digit = run.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) continue;
    digits[count] = digit;
    places[count++] = at;
  }
  return { digits, places, count };
}

/** The last digit of the longest card number that begins with the digit at `first` and ends with its group. */
function lastOfCard(digits: Uint8Array, places: Uint32Array, count: number, first: number): number | undefined {
  let found: number | undefined;
  // Which digits are doubled depends on where the number ends: both sums are kept, by the parity of the place.
  let evenDoubled = 0;
  let oddDoubled = 0;
  const end = Math.min(count, first + LONGEST);
  for (let at = first; at < end; at++) {
    const digit = digits[at]!;
    const isEven = (at - first) % 2 === 0;
    evenDoubled += isEven ? DOUBLED[digit]! : digit;
    oddDoubled += isEven ? digit : DOUBLED[digit]!;
    if (at - first + 1 < SHORTEST) continue;
    const sum = isEven ? oddDoubled : evenDoubled;
    const endsGroup = at + 1 === count || places[at + 1]! > places[at]! + 1;
    if (endsGroup && sum % 10 === 0) found = at;
  }
  return found;
}
