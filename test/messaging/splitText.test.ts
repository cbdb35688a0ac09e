import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitText } from '../../src/messaging/splitText.ts';

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
const MAX = 50;

const FAMILY = '\u{1F468}\u200d\u{1F469}\u200d\u{1F467}\u200d\u{1F466}';
const FLAG = '\u{1F1E9}\u{1F1EA}';
const pieces = fc.constantFrom(
  'word',
  ' ',
  '  ',
  '\n',
  '. ',
  '! ',
  '？',
  '。',
  '東京特許許可局',
  'สวัสดีครับ',
  'ล้ำ',
  'e\u0301',
  ' \u0301',
  '\r\n',
  FAMILY,
  FLAG,
  '\u{1F1E9}',
  '\u{1F44D}\u{1F3FD}',
  'क्षि',
  'https://example.com/?a=B.C!D',
  '(www.example.com)',
  'donaudampfschifffahrtsgesellschaft',
  '\u00a0',
  '\ud83d',
);
const texts = fc.oneof(
  fc.array(pieces, { maxLength: 200 }).map((all) => all.join('')),
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc.string({ unit: 'binary', maxLength: 400 }),
);

const visible = (text: string) => text.replace(/[\s\0]/g, '');

describe('a text in parts', () => {
  it('has every visible character once and in order, in parts that are not blank and not too long', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: MAX, max: 120 }), (text, max) => {
        const parts = splitText(text, max);
        expect(visible(parts.join(''))).toBe(visible(text));
        for (const part of parts) {
          expect(visible(part)).not.toBe('');
          expect(part.length).toBeLessThanOrEqual(max);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is cut between graphemes only', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const starts = new Set([...graphemes.segment(text)].map(({ index }) => index));
        let at = 0;
        for (const [n, part] of splitText(text, MAX).entries()) {
          at = text.indexOf(part, at);
          expect(at).toBeGreaterThanOrEqual(0);
          if (n > 0 && !isLong(text, at)) expect({ part, isStart: starts.has(at) }).toEqual({ part, isStart: true });
          at += part.length;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('has every word and URL that fits whole', () => {
    const token = fc.oneof(
      fc.constantFrom('a', 'word', 'end.', '(what?)', '\u201cyes!\u201d', 'donaudampfschifffahrtsgesellschaft'),
      fc.webUrl().filter((url) => url.length <= MAX),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
        const parts = splitText(tokens.join(' '), MAX);
        expect(parts.flatMap((part) => part.split(' '))).toEqual(tokens);
      }),
      { numRuns: 500 },
    );
  });

  it('is the text itself, white space and all, where it fits', () => {
    expect(splitText(' Hello.\n', MAX)).toEqual([' Hello.\n']);
    expect(splitText(`${'x'.repeat(MAX)}`, MAX)).toHaveLength(1);
    expect(splitText(' \n\0 '.repeat(MAX), MAX)).toEqual([]);
  });

  const table: { title: string; text: string; parts: string[] }[] = [
    {
      title: 'ends where sentences end',
      text: 'The first sentence is about this long, I think. Is the second one shorter? "Yes!" The last one is about as long as the first.',
      parts: [
        'The first sentence is about this long, I think.',
        'Is the second one shorter? "Yes!"',
        'The last one is about as long as the first.',
      ],
    },
    {
      title: 'ends where Chinese and Japanese sentences end, which no space follows',
      text: `${'東京は日本の首都です'.repeat(4)}。${'大阪は大きな都市です'.repeat(3)}！「はい。」${'京都'.repeat(10)}`,
      parts: [
        `${'東京は日本の首都です'.repeat(4)}。`,
        `${'大阪は大きな都市です'.repeat(3)}！「はい。」`,
        '京都'.repeat(10),
      ],
    },
    {
      title: 'ends where lines end',
      text: 'eggs and bread and butter from the shop\nsoap for the dog and the cat\nbatteries for it all',
      parts: ['eggs and bread and butter from the shop', 'soap for the dog and the cat\nbatteries for it all'],
    },
    {
      title: 'keeps the number of a list item with the item',
      text: 'Do the following things, in this order please:\n1. Switch it off and wait.\n2. Switch it on and wait once more.',
      parts: [
        'Do the following things, in this order please:',
        '1. Switch it off and wait.',
        '2. Switch it on and wait once more.',
      ],
    },
    {
      title: 'ends where words end',
      text: 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen',
      parts: [
        'one two three four five six seven eight nine ten',
        'eleven twelve thirteen fourteen',
        'fifteen sixteen seventeen',
      ],
    },
    {
      title: 'takes no URL apart that fits',
      text: 'See (https://example.com/a/path?With=Query!And&more.Of) and www.example.com/another/longer/path.html',
      parts: [
        'See (',
        'https://example.com/a/path?With=Query!And&more.Of)',
        'and www.example.com/another/longer/path.html',
      ],
    },
    {
      title: 'is two halves rather than a whole and a word',
      text: `${'la la la '.repeat(6)}end`,
      parts: ['la la la la la la la la la la la la la', 'la la la la la end'],
    },
  ];
  for (const { title, text, parts } of table) it(title, () => expect(splitText(text, MAX)).toEqual(parts));

  it('ends between words in scripts that write none', () => {
    const [first, ...rest] = splitText('สวัสดีครับ'.repeat(20), MAX);
    expect(first).toBe('สวัสดีครับ'.repeat(5));
    expect(rest.join('')).toBe('สวัสดีครับ'.repeat(15));
  });

  it('takes a word apart that is too long, and a grapheme only when it is too long alone', () => {
    expect(splitText('x'.repeat(120), MAX).map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(splitText(FAMILY.repeat(10), MAX).every((part) => part.length % FAMILY.length === 0)).toBe(true);
    expect(splitText(FLAG.repeat(60), MAX).every((part) => part.length % FLAG.length === 0)).toBe(true);
    const marks = splitText(`a${'\u{1D165}'.repeat(1000)}`, MAX);
    expect(marks.every((part) => part.isWellFormed() && part.length <= MAX)).toBe(true);
  });

  it('is found in a bounded number of steps, whatever the text', () => {
    const hostile = [
      'a\u0301'.padEnd(1e6, '\u0301'),
      'x'.repeat(1e6),
      ' '.repeat(1e6),
      'http://'.repeat(1e5),
      '. '.repeat(5e5),
    ];
    for (const text of hostile) {
      for (const max of [MAX, 20_000]) {
        // Two parts together are at least half as long as one may be.
        expect(splitText(text, max).length).toBeLessThanOrEqual((4 * text.length) / max + 2);
      }
    }
  });
});

/** Within a grapheme that no part could hold. */
function isLong(text: string, at: number): boolean {
  const { segment } = graphemes.segment(text).containing(at)!;
  return segment.length > MAX;
}
