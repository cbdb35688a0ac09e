import {
  attributes,
  encodeBody,
  encodeText,
  type Run,
  type Value,
} from '../../test/chatdb/support/typedstreamEncoder.ts';

/**
 * Bodies as they occur, from 177 bytes to 2.5 KB: short and long texts, styles, mentions, links, attachments, data
 * detectors' archives.
 */
export function ordinaryBodies(): Buffer[] {
  const sentence = 'We could meet at the station around six, if the train is on time. ';
  const part0 = attributes({ part: 0 });
  const styled: Run[] = Array.from({ length: 24 }, (_, i) => ({
    length: 5,
    attributes: new Map<string, Value>([...part0, ['__kIMTextEffectAttributeName', 4 + (i % 9)]]),
  }));
  const files: Run[] = Array.from({ length: 4 }, (_, i) => ({
    length: 1,
    attributes: new Map<string, Value>([
      ...attributes({ part: i, attachment: `at_${i}_0A1B2C3D-0000-4000-8000-00000000000${i}` }),
      ['__kIMFilenameAttributeName', `IMG_000${i}.HEIC`],
      ['__kIMInlineMediaWidthAttributeName', { double: 1512.5 }],
    ]),
  }));
  const code = new Map<string, Value>([
    ...part0,
    [
      '__kIMOneTimeCodeAttributeName',
      new Map([
        ['code', '123456'],
        ['displayCode', '123456'],
      ]),
    ],
    ['__kIMDataDetectedAttributeName', Buffer.alloc(600, 'bplist00 ')],
  ]);
  return [
    encodeText('ok'),
    encodeText(sentence),
    encodeText(sentence.repeat(3)),
    encodeText(sentence.repeat(12)),
    encodeText(sentence.repeat(24)),
    encodeText('👍🏽 schön, bis später'),
    encodeBody(sentence.repeat(2).slice(0, 120), styled),
    encodeBody('\ufffc'.repeat(4), files, { mutable: true }),
    encodeBody('Hi @Anna look at example.com/offers', [
      { length: 3, attributes: part0 },
      { length: 5, attributes: attributes({ part: 0, mention: '+15550100003' }) },
      { length: 9, attributes: part0 },
      { length: 18, attributes: attributes({ part: 0, link: { url: 'https://example.com/offers' } }) },
    ]),
    encodeBody('Your code is 123456', [
      { length: 13, attributes: part0 },
      { length: 6, attributes: code },
    ]),
  ];
}

/** Each about 1 MB or at the limit of work: what would be quadratic or exponential in a decoder without limits. */
export function bodyTraps(): Buffer[] {
  const shared = attributes({ part: 0, mention: 'm'.repeat(5000), link: { url: 'u'.repeat(5000) } });
  const twin = attributes({ part: 0, mention: 'm'.repeat(5000), link: { url: 'u'.repeat(5000) } });
  const text = 'x'.repeat(190_000);
  const longKeys: Value[] = Array.from({ length: 4000 }, (_, i) => new Map([[`${'k'.repeat(200)}${i}`, i]]));
  const urls: Value[] = Array.from({ length: 4000 }, (_, i) => ({
    url: `${'p/'.repeat(100)}${i}`,
    base: 'https://example.com',
  }));
  const one = (value: Value) => encodeBody('x', [{ length: 1, attributes: new Map([['k', value]]) }]);
  return [
    encodeBody(
      text,
      Array.from({ length: text.length }, () => ({ length: 1, attributes: shared })),
    ),
    encodeBody(
      text,
      Array.from({ length: text.length }, (_, i) => ({ length: 1, attributes: i % 2 ? shared : twin })),
    ),
    encodeBody(
      text,
      Array.from({ length: 20_000 }, () => ({ length: 1, attributes: attributes({ part: 0 }) })),
    ),
    one(longKeys),
    one(urls),
    one(Array.from({ length: 100_000 }, (_, i) => i)),
    one({ doubled: 25 }),
    encodeText('\ufffd'.repeat(300_000)),
    Buffer.concat([encodeText('x').subarray(0, 90), Buffer.alloc(1_000_000, 0x84)]),
    Buffer.concat([encodeText('x').subarray(0, 90), Buffer.alloc(1_000_000, 0x92)]),
    utf16('x'.repeat(500_000)),
  ];
}

/** A text of `length` bytes in one run; written directly, because the encoder of the tests is slow for large ones. */
export function largeBody(length: number): Buffer {
  const small = encodeText('hello');
  const at = small.indexOf('hello');
  const written = integer(length);
  const run = small.indexOf(Buffer.from([0x69, 0x49, 0x01, 0x05])) + 3;
  return Buffer.concat([
    small.subarray(0, at - 1),
    written,
    largeText(length),
    small.subarray(at + 5, run),
    written,
    small.subarray(run + 1),
  ]);
}

export function largeText(length: number): Buffer {
  return Buffer.alloc(length, 'We could meet at six. ');
}

/** As NSArchiver writes a length: one byte, two behind 81, four behind 82. */
function integer(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  const bytes = Buffer.alloc(value <= 0xffff ? 3 : 5, value <= 0xffff ? 0x81 : 0x82);
  bytes.writeUIntLE(value, 1, bytes.length - 1);
  return bytes;
}

export function utf16(text: string): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
}
