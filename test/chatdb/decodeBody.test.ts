import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, decodeText } from '../../src/chatdb/typedstream/decodeBody.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { attributes, encodeBody, encodeText, type Run, type Value } from './support/typedstreamEncoder.ts';

/** "hello", part 0, as macOS writes it. */
const HELLO = Buffer.from(
  `040b 73747265616d7479706564 81e803 840140 84848412 4e5341747472696275746564537472696e67 00
   848408 4e534f626a656374 00 85 92 848484 08 4e53537472696e67 01 94 84012b 05 68656c6c6f 86
   84026949 01 05 92 8484840c 4e5344696374696f6e617279 00 94 840169 01 92 84 96 96
   1d 5f5f6b494d4d657373616765506172744174747269627574654e616d65 86 92 848484 08 4e534e756d626572 00
   848407 4e5356616c7565 00 94 84012a 8499 99 00 86 86 86`.replaceAll(/\s/g, ''),
  'hex',
);

const codeOf = (decode: () => unknown): string => {
  try {
    decode();
  } catch (error) {
    if (error instanceof EdgeError) return error.code;
    throw error;
  }
  return 'none';
};

describe('decodeBody', () => {
  it('reads a plain message', () => {
    const body = decodeBody(HELLO);
    expect(body).toMatchObject({ text: 'hello', parts: [{ index: 0, start: 0, length: 5 }], mentions: [], links: [] });
    expect(body.runs).toEqual([{ start: 0, length: 5, attributes: new Map([['__kIMMessagePartAttributeName', 0]]) }]);
    expect(body.damage).toBeUndefined();
    expect(encodeText('hello')).toEqual(HELLO);
  });

  it('reads a body handed over as a view into a larger buffer', () => {
    const larger = Buffer.concat([Buffer.alloc(7, 0x84), HELLO, Buffer.alloc(7, 0x84)]);
    const view = new Uint8Array(larger.buffer, larger.byteOffset + 7, HELLO.length);
    expect(decodeBody(view).text).toBe('hello');
  });

  it.each([0, 1, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, 200_000])(
    'reads a text of %i bytes, whatever the width of its length',
    (length) => {
      const text = 'x'.repeat(length);
      expect(decodeBody(encodeText(text)).text).toBe(text);
      expect(decodeText(encodeText(text))).toBe(text);
    },
  );

  it('reads a length of 32 KiB and more written as 16 bits and as 32', () => {
    const text = 'x'.repeat(40_000);
    const encoded = encodeText(text);
    const at = encoded.indexOf(Buffer.from([0x81, 0x40, 0x9c]));
    expect(at).toBeGreaterThan(0);
    const wide = Buffer.concat([
      encoded.subarray(0, at),
      Buffer.from([0x82, 0x40, 0x9c, 0, 0]),
      encoded.subarray(at + 3),
    ]);
    expect(decodeBody(encoded).text).toBe(text);
    expect(decodeBody(wide).text).toBe(text);
  });

  it('reads the mutable classes', () => {
    expect(decodeBody(encodeBody('bonjour', [], { mutable: true })).text).toBe('bonjour');
  });

  it('keeps NULs, emoji and U+2028 of a text', () => {
    const text = 'a\0b 👩‍👩‍👧‍👦 \u2028 \ufeff end';
    expect(decodeBody(encodeText(text)).text).toBe(text);
  });

  it('counts runs in UTF-16 code units', () => {
    const part = (index: number) => attributes({ part: index });
    const body = decodeBody(
      encodeBody('👍\ufffc!', [
        { length: 2, attributes: part(0) },
        { length: 1, attributes: attributes({ part: 1, attachment: 'at_0_A1' }) },
        { length: 1, attributes: part(2) },
      ]),
    );
    expect(body.parts).toEqual([
      { index: 0, start: 0, length: 2 },
      { index: 1, start: 2, length: 1 },
      { index: 2, start: 3, length: 1 },
    ]);
    expect(body.attachments).toEqual([{ guid: 'at_0_A1', start: 2 }]);
  });

  it('finds mentions and links and joins neighbouring runs that say the same', () => {
    const bold = new Map<string, Value>([...attributes({ part: 0, mention: '+15550100003' }), ['bold', 1]]);
    const link = attributes({ part: 0, link: { url: 'https://example.com/a' } });
    const body = decodeBody(
      encodeBody('@Anna B see example.com/a', [
        { length: 5, attributes: attributes({ part: 0, mention: '+15550100003' }) },
        { length: 2, attributes: bold },
        { length: 5, attributes: attributes({ part: 0 }) },
        { length: 13, attributes: link },
      ]),
    );
    expect(body.mentions).toEqual([{ handle: '+15550100003', text: '@Anna B', start: 0 }]);
    expect(body.links).toEqual([{ url: 'https://example.com/a', start: 12, length: 13 }]);
    expect(body.parts).toEqual([{ index: 0, start: 0, length: 25 }]);
  });

  it('uses an earlier dictionary again where a run names its number', () => {
    const shared = attributes({ part: 0 });
    const body = decodeBody(
      encodeBody('abc', [
        { length: 1, attributes: shared },
        { length: 1, attributes: attributes({ part: 1 }) },
        { length: 1, attributes: shared },
      ]),
    );
    expect(body.runs[2]?.attributes).toBe(body.runs[0]?.attributes);
    expect(body.parts.map((part) => part.index)).toEqual([0, 1, 0]);
  });

  it('reads every kind of attribute value', () => {
    const values: [string, Value, unknown][] = [
      ['text', 'näher', 'näher'],
      ['negative', -1, -1],
      ['byte', 200, 200],
      ['short', -30_000, -30_000],
      ['word', 2_000_000_000, 2_000_000_000],
      ['exact', 2 ** 53 - 1, 2 ** 53 - 1],
      ['long', -(2n ** 63n), -(2n ** 63n)],
      ['float', { float: 1.5 }, 1.5],
      ['double', { double: 0.1 }, 0.1],
      ['whole double', { double: 3 }, 3],
      ['data', Buffer.from('bplist00'), Buffer.from('bplist00')],
      ['url', { url: 'https://example.com/' }, 'https://example.com/'],
      ['relative url', { url: 'b?c', base: 'https://example.com/a/' }, 'https://example.com/a/b?c'],
      ['date', { date: 1_700_000_000_500 }, 1_700_000_000_500],
      ['list', [1, 'two', [3]], [1, 'two', [3]]],
      ['dictionary', new Map([['code', '123456']]), new Map([['code', '123456']])],
      ['after an unknown class', 'still read', 'still read'],
    ];
    const written = new Map<string, Value>(values.map(([name, value]) => [name, value]));
    written.set('font', { unknown: 'NSFont' });
    const read = decodeBody(encodeBody('x', [{ length: 1, attributes: written }])).runs[0]?.attributes;
    expect([...(read ?? [])]).toEqual(values.map(([name, , value]) => [name, value]));
  });

  it('resolves references past the one-byte forms', () => {
    const many = Array.from({ length: 300 }, (_, i) => `value ${i}`);
    const written = new Map<string, Value>([
      ['first', many],
      ['again', many],
    ]);
    const read = decodeBody(encodeBody('x', [{ length: 1, attributes: written }])).runs[0]?.attributes;
    expect(read?.get('again')).toEqual(many);
  });

  it('accepts UTF-16LE text behind a byte order mark', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('héllo 👍', 'utf16le')]);
    expect(decodeBody(bytes)).toMatchObject({ text: 'héllo 👍', runs: [], parts: [], attachments: [] });
    expect(decodeText(bytes)).toBe('héllo 👍');
  });

  it('gives back random texts and runs as they were written', () => {
    const attribute = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
    const dictionary = fc.dictionary(fc.string({ maxLength: 20 }), attribute, { maxKeys: 5, noNullPrototype: true });
    const stretch = fc.record({ text: fc.string({ unit: 'grapheme', maxLength: 200 }), pick: fc.nat() });
    fc.assert(
      fc.property(
        fc.array(stretch, { maxLength: 30 }),
        fc.array(dictionary, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        (stretches, dictionaries, mutable) => {
          const maps = dictionaries.map((entries) => new Map(Object.entries(entries)));
          const runs: Run[] = stretches.map(({ text, pick }) => ({
            length: text.length,
            attributes: maps[pick % maps.length]!,
          }));
          const text = stretches.map((stretch) => stretch.text).join('');
          const bytes = encodeBody(text, runs, { mutable });
          const body = decodeBody(bytes);
          expect(body.text).toBe(text);
          expect(body.runs.map(({ length, attributes }) => ({ length, attributes }))).toEqual(runs);
          expect(body.damage).toBeUndefined();
          expect(decodeText(bytes)).toBe(text);
        },
      ),
    );
  });
});

describe('decodeBody on damaged bodies', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a string that is no typedstream', Buffer.from('hello')],
    ['a header alone', HELLO.subarray(0, 16)],
    ['a big-endian stream', Buffer.from('040b7479706564737472656d', 'hex')],
    [
      'a root object of another class',
      Buffer.from(
        HELLO.toString('latin1').replace('NSAttributedString', 'NSUnattributedThing').replace('\x12NS', '\x13NS'),
        'latin1',
      ),
    ],
    ['a text cut short', HELLO.subarray(0, HELLO.indexOf('hello') + 3)],
  ])('refuses %s with EDGE_BODY_UNDECODABLE', (_name, bytes) => {
    expect(codeOf(() => decodeBody(bytes))).toBe('EDGE_BODY_UNDECODABLE');
    expect(codeOf(() => decodeText(bytes))).toBe('EDGE_BODY_UNDECODABLE');
  });

  it('gives a sound text although the runs behind it are cut off, and says so', () => {
    const cut = decodeBody(HELLO.subarray(0, HELLO.length - 12));
    expect(cut).toMatchObject({ text: 'hello', runs: [], damage: expect.stringContaining('ends early') });
  });

  it('keeps the runs before the damage', () => {
    const encoded = encodeBody('ab', [
      { length: 1, attributes: attributes({ part: 0 }) },
      { length: 1, attributes: attributes({ part: 1 }) },
    ]);
    const body = decodeBody(encoded.subarray(0, encoded.length - 3));
    expect(body.parts).toEqual([{ index: 0, start: 0, length: 1 }]);
    expect(body.damage).toBeDefined();
  });

  it('does not take the stream itself for text where the length of the text was changed', () => {
    const at = HELLO.indexOf('hello') - 1;
    for (let length = 0; length < 0x80; length++) {
      if (length === 5) continue;
      const bytes = Buffer.from(HELLO);
      bytes[at] = length;
      expect(
        codeOf(() => decodeBody(bytes)),
        `length ${length}`,
      ).toBe('EDGE_BODY_UNDECODABLE');
    }
  });

  it('refuses a length far past the end before it allocates', () => {
    const at = HELLO.indexOf('hello') - 1;
    for (const length of ['82ffffffff', '87ffffffffffffff7f', '87ffffffffffffffff', '81ffff']) {
      const bytes = Buffer.concat([HELLO.subarray(0, at), Buffer.from(length, 'hex'), HELLO.subarray(at + 1)]);
      expect(codeOf(() => decodeBody(bytes))).toBe('EDGE_BODY_UNDECODABLE');
    }
  });

  it('stops at runs that pass the end of the text', () => {
    const body = decodeBody(encodeBody('ab', [{ length: 3, attributes: attributes({ part: 0 }) }]));
    expect(body).toMatchObject({ text: 'ab', runs: [], damage: 'runs past the end of the text' });
  });

  it('does not follow an object that contains itself', () => {
    // The dictionary is object 5; its one value is replaced by a reference to it.
    const bytes = encodeBody('a', [{ length: 1, attributes: new Map([['k', 'v']]) }]);
    const at = bytes.indexOf(Buffer.from([0x92, 0x84, 0x96, 0x96, 0x01, 0x76]));
    const cyclic = Buffer.concat([bytes.subarray(0, at), Buffer.from([0x92, 0x97]), bytes.subarray(at + 7)]);
    expect(decodeBody(cyclic)).toMatchObject({ text: 'a', damage: 'an object that contains itself' });
  });

  it('bounds nesting, and dictionaries that double at every level', () => {
    let deep: Value = 'end';
    for (let i = 0; i < 500; i++) deep = [deep];
    expect(decodeBody(encodeBody('a', [{ length: 1, attributes: new Map([['k', deep]]) }])).damage).toBe(
      'objects nested too deep',
    );
    const doubled = (depth: number) =>
      encodeBody('a', [{ length: 1, attributes: new Map([['k', { doubled: depth }]]) }]);
    expect(decodeBody(doubled(25)).damage).toBe('more objects than a body may have');
    expect(decodeBody(doubled(8)).damage).toBeUndefined();
  });

  it('gives the text of a body with more runs than it may have', () => {
    const shared = attributes({ part: 0 });
    const text = 'x'.repeat(300_000);
    const runs = Array.from({ length: text.length }, () => ({ length: 1, attributes: shared }));
    const body = decodeBody(encodeBody(text, runs));
    expect(body.text).toBe(text);
    expect(body.damage).toBe('more objects than a body may have');
  });

  it('charges types that take no bytes', () => {
    const upToText = HELLO.subarray(0, HELLO.indexOf('hello') + 6);
    const run = Buffer.from('84026949 01 05 92 848484 03 4e5358 00 94'.replaceAll(' ', ''), 'hex');
    const type = '[999999999[0c]]';
    const hostile = Buffer.concat([upToText, run, Buffer.from([0x84, type.length]), Buffer.from(type)]);
    expect(decodeBody(hostile)).toMatchObject({ text: 'hello', damage: 'more objects than a body may have' });
  });
});
