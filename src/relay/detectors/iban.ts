import type { Span } from '../../util/TextPattern.ts';

/** Length by country (SWIFT IBAN registry): without it, a number followed by words has no end. */
const LENGTHS = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ' +
    'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 ' +
    'LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 ' +
    'PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))] as const),
);
const HEAD = /(?<![A-Za-z0-9])([A-Za-z]{2})[ .-]?\d[ .-]?\d/g;
/** Characters between two of the number at most. */
const MAX_GAP = 2;

/** International bank account numbers, in either case, whose check digits are right. */
export function findIbans(text: string): Span[] {
  const spans: Span[] = [];
  for (const head of text.matchAll(HEAD)) {
    const length = LENGTHS.get(head[1]!.toUpperCase());
    const end = length === undefined ? undefined : endOf(text, head.index, length);
    if (end !== undefined) spans.push({ start: head.index, end });
  }
  return spans;
}

/** Where the IBAN of `length` characters that begins at `start` ends; undefined when there is none. */
function endOf(text: string, start: number, length: number): number | undefined {
  const values: number[] = [];
  let gap = 0;
  for (let at = start; at < text.length; at++) {
    const value = ibanValue(text.charCodeAt(at));
    if (value !== undefined) {
      values.push(value);
      gap = 0;
      if (values.length === length) return mod97(values) === 1 ? at + 1 : undefined;
    } else if (!isSeparator(text.charCodeAt(at)) || ++gap > MAX_GAP) return undefined;
  }
  return undefined;
}

/** 0 to 9 for digits, from 10 on for letters of either case. */
function ibanValue(unit: number): number | undefined {
  if (unit >= 48 && unit <= 57) return unit - 48;
  const lower = unit | 32;
  return lower >= 97 && lower <= 122 ? lower - 87 : undefined;
}

/** White space, `.`, `_` and `-`. */
function isSeparator(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13) || unit === 45 || unit === 46 || unit === 95;
}

/** ISO 7064 as ISO 13616 asks: the first four characters go to the end. */
function mod97(values: readonly number[]): number {
  let rest = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[(at + 4) % values.length]!;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}
