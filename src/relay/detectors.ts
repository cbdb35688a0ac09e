/** Replaces what it finds. Work grows with the length of the text alone: nothing in a text can make it back-track. */
type Detector = (text: string, replacement: string) => string;

export type DetectorName = 'payment_card' | 'iban' | 'us_ssn' | 'one_time_code' | 'api_key';

export const DETECTORS: Record<DetectorName, Detector> = {
  payment_card: (text, replacement) =>
    text.replace(/(?<!\d)\d(?:[ -]?\d){12,}/g, (run) => replaceCards(run, replacement)),
  iban: (text, replacement) => text.replace(IBAN, (found) => replaceIban(found, replacement)),
  us_ssn: (text, replacement) =>
    text.replace(/(?<![\d-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])/g, replacement),
  one_time_code: replaceCodes,
  api_key: (text, replacement) => text.replace(API_KEY, replacement),
};

/** Card numbers have 13 to 19 digits (ISO/IEC 7812) and begin with 2 to 6 for the schemes in use. */
function replaceCards(run: string, replacement: string): string {
  const groups = [...run.matchAll(/\d+/g)];
  let out = '';
  let from = 0;
  for (let first = 0; first < groups.length; first++) {
    const last = cardFrom(groups, first);
    if (last === undefined) continue;
    out += run.slice(from, groups[first]!.index) + replacement;
    from = groups[last]!.index + groups[last]![0].length;
    first = last;
  }
  return out + run.slice(from);
}

/** The last of the groups that make up a card number with the one at `first`. */
function cardFrom(groups: readonly RegExpExecArray[], first: number): number | undefined {
  let digits = '';
  for (let last = first; last < groups.length && digits.length < 19; last++) {
    digits += groups[last]![0];
    if (digits.length >= 13 && digits.length <= 19 && /^[2-6]/.test(digits) && passesLuhn(digits)) return last;
  }
  return undefined;
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const IBAN = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![a-z])/g;
/** Length by country (SWIFT IBAN registry): without it, a number followed by words has no end. */
const IBAN_LENGTHS = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 ' +
    'FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 ' +
    'LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 ' +
    'SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))] as const),
);

function replaceIban(found: string, replacement: string): string {
  const length = IBAN_LENGTHS.get(found.slice(0, 2));
  if (length === undefined) return found;
  let compact = '';
  let end = 0;
  while (end < found.length && compact.length < length) {
    if (found[end] !== ' ') compact += found[end];
    end++;
  }
  return compact.length === length && mod97(compact) === 1 ? replacement + found.slice(end) : found;
}

/** ISO 7064 as ISO 13616 asks: the first four characters go to the end, letters count from 10. */
function mod97(iban: string): number {
  let rest = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

const CODE_WORD = /\b(?:code|otp|passcode|password|pin|tan|verification|verify|2fa)\b/gi;
const CODE = /(?<![\w-])(?:[A-Z]-)?(?:\d{4,8}|\d{3}[ -]\d{3})(?![\w-])/g;
/** How far a code stands from the word that makes it one, characters. */
const CODE_DISTANCE = 60;

function replaceCodes(text: string, replacement: string): string {
  const words = [...text.matchAll(CODE_WORD)].map((match) => match.index);
  let next = 0;
  return text.replace(CODE, (code, at: number) => {
    while (next < words.length && words[next]! < at - CODE_DISTANCE) next++;
    const word = words[next];
    return word !== undefined && word <= at + code.length + CODE_DISTANCE ? replacement : code;
  });
}

const API_KEY = new RegExp(
  [
    'sk-[A-Za-z0-9_-]{20,}',
    '[sr]k_(?:live|test)_[A-Za-z0-9]{16,}',
    'gh[pousr]_[A-Za-z0-9]{36,}',
    'github_pat_[A-Za-z0-9_]{22,}',
    'glpat-[A-Za-z0-9_-]{20,}',
    '(?:AKIA|ASIA)[A-Z0-9]{16}',
    'AIza[A-Za-z0-9_-]{35}',
    'xox[abeoprs]-[A-Za-z0-9-]{10,}',
    'eyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]+',
  ]
    .map((form) => `(?<![A-Za-z0-9_-])${form}`)
    .join('|'),
  'g',
);
