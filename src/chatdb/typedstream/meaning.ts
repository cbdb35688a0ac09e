import type { DetectionKind, TextStyle } from '../DecodedBody.ts';

/** What the attributes of a run say, as far as Messages gives them a meaning. */
export interface Meaning {
  part: number | undefined;
  /** How many of the others there are. */
  others: number;
  attachment: string | undefined;
  mention: string | undefined;
  link: string | undefined;
  isRichLink: boolean;
  code: { readonly code: string; readonly displayCode: string } | undefined;
  readonly styles: TextStyle[];
  effect: string | undefined;
  transcript: string | undefined;
  readonly detections: { readonly kind: DetectionKind; readonly archive: Uint8Array }[];
}

/** By their place in Messages' menu (macOS 15); 7 has not been met. */
const EFFECTS: Readonly<Record<number, string>> = {
  4: 'ripple',
  5: 'big',
  6: 'bloom',
  8: 'nod',
  9: 'shake',
  10: 'jitter',
  11: 'small',
  12: 'explode',
};

type Reading = (meaning: Meaning, value: unknown) => void;

/** The attributes, as seen in bodies of macOS 12 to 26. */
const READINGS: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  [
    '__kIMMessagePartAttributeName',
    (meaning, value) => {
      if (typeof value === 'number') meaning.part = value;
    },
  ],
  ['__kIMFileTransferGUIDAttributeName', text((meaning, guid) => (meaning.attachment = guid))],
  ['__kIMMentionConfirmedMention', text((meaning, handle) => (meaning.mention = handle))],
  ['__kIMLinkAttributeName', text((meaning, url) => (meaning.link = url))],
  ['__kIMLinkIsRichLinkAttributeName', (meaning, value) => (meaning.isRichLink = isSet(value))],
  ['IMAudioTranscription', text((meaning, transcript) => (meaning.transcript = transcript))],
  ['__kIMTextBoldAttributeName', style('bold')],
  ['__kIMTextItalicAttributeName', style('italic')],
  ['__kIMTextUnderlineAttributeName', style('underline')],
  ['__kIMTextStrikethroughAttributeName', style('strikethrough')],
  [
    '__kIMTextEffectAttributeName',
    (meaning, value) => {
      if (typeof value !== 'number') return;
      meaning.effect = EFFECTS[value] ?? `effect_${value}`;
      meaning.others++;
    },
  ],
  [
    '__kIMOneTimeCodeAttributeName',
    (meaning, value) => {
      const code: unknown = value instanceof Map ? value.get('code') : undefined;
      if (typeof code !== 'string') return;
      const displayCode: unknown = (value as ReadonlyMap<string, unknown>).get('displayCode');
      meaning.code = { code, displayCode: typeof displayCode === 'string' ? displayCode : code };
      meaning.others++;
    },
  ],
  ['__kIMDataDetectedAttributeName', detection('data')],
  ['__kIMPhoneNumberAttributeName', detection('phone_number')],
  ['__kIMAddressAttributeName', detection('address')],
  ['__kIMCalendarEventAttributeName', detection('calendar_event')],
]);

/** The names of the attributes that are read. */
export const ATTRIBUTES: readonly string[] = [...READINGS.keys()];

export function meaningOf(attributes: ReadonlyMap<string, unknown>): Meaning {
  const meaning: Meaning = {
    part: undefined,
    others: 0,
    attachment: undefined,
    mention: undefined,
    link: undefined,
    isRichLink: false,
    code: undefined,
    styles: [],
    effect: undefined,
    transcript: undefined,
    detections: [],
  };
  for (const [name, value] of attributes) READINGS.get(name)?.(meaning, value);
  return meaning;
}

function text(keep: (meaning: Meaning, value: string) => void): Reading {
  return (meaning, value) => {
    if (typeof value !== 'string') return;
    keep(meaning, value);
    meaning.others++;
  };
}

function style(name: TextStyle): Reading {
  return (meaning, value) => {
    if (!isSet(value)) return;
    meaning.styles.push(name);
    meaning.others++;
  };
}

function detection(kind: DetectionKind): Reading {
  return (meaning, value) => {
    if (!(value instanceof Uint8Array)) return;
    meaning.detections.push({ kind, archive: value });
    meaning.others++;
  };
}

function isSet(value: unknown): boolean {
  return typeof value === 'number' && value !== 0;
}
