import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detectedType } from '../../src/chatdb/detectedType.ts';
import { isPlist, readArchive, readPlist } from '../../src/chatdb/plist/readPlist.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { encodeArchive, encodePlist, rawArray, rawPlist, real } from './support/plistEncoder.ts';

const refusal = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'EDGE_BODY_UNDECODABLE') return error.message;
    throw error;
  }
  return 'none';
};

describe('readPlist', () => {
  it('reads every type of value', () => {
    const bytes = Buffer.from([0, 1, 255]);
    const read = readPlist(
      encodePlist({
        text: 'plain',
        wide: 'näher 👍',
        long: 'x'.repeat(70_000),
        whole: 300,
        negative: -5,
        big: 2n ** 60n,
        real: real(2),
        fraction: 0.25,
        yes: true,
        no: false,
        date: new Date(1_700_000_000_500),
        bytes,
        uid: { UID: 7 },
        list: [1, 'two', [3]],
        nested: { key: 'value' },
      }),
    );
    expect(read).toEqual(
      new Map<string, unknown>([
        ['text', 'plain'],
        ['wide', 'näher 👍'],
        ['long', 'x'.repeat(70_000)],
        ['whole', 300],
        ['negative', -5],
        ['big', 2n ** 60n],
        ['real', 2],
        ['fraction', 0.25],
        ['yes', true],
        ['no', false],
        ['date', new Date(1_700_000_000_500)],
        ['bytes', bytes],
        ['uid', expect.objectContaining({ index: 7 })],
        ['list', [1, 'two', [3]]],
        ['nested', new Map([['key', 'value']])],
      ]),
    );
  });

  it.each([
    ['one byte, unsigned', [0x10, 0xff], 255],
    ['two bytes, unsigned', [0x11, 0xff, 0xff], 65_535],
    ['four bytes, unsigned', [0x12, 0xff, 0xff, 0xff, 0xff], 4_294_967_295],
    ['eight bytes, signed', [0x13, ...Array(8).fill(0xff)], -1],
    ['sixteen bytes, signed', [0x14, ...Array(16).fill(0xff)], -1],
    ['sixteen bytes, large', [0x14, 0, 0, 0, 0, 0, 0, 0, 1, ...Array(8).fill(0)], 2n ** 64n],
    ['a float', [0x22, 0x3f, 0xc0, 0, 0], 1.5],
    ['null', [0x00], undefined],
    ['a set', [0xc0], []],
    ['UTF-8', [0x72, 0xc3, 0xa9], 'é'],
    ['a UID of four bytes', [0x83, 0, 1, 0, 0], expect.objectContaining({ index: 65_536 })],
  ])('reads %s', (_name, object, value) => {
    expect(readPlist(rawPlist([object]))).toEqual(value);
  });

  it('gives one value for an object that stands in several places', () => {
    const list = readPlist(rawPlist([rawArray(1, 1), rawArray(2), [0x51, 0x61]])) as unknown[][];
    expect(list).toEqual([['a'], ['a']]);
    expect(list[0]).toBe(list[1]);
  });

  it('reads a plist handed over as a view into a larger buffer', () => {
    const plist = encodePlist({ a: 1 });
    const larger = Buffer.concat([Buffer.alloc(5), plist, Buffer.alloc(5)]);
    expect(readPlist(new Uint8Array(larger.buffer, larger.byteOffset + 5, plist.length))).toEqual(new Map([['a', 1]]));
  });

  it('gives back random plists as they were written', () => {
    const { tree } = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
      leaf: fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.integer(),
        fc.boolean(),
        fc.double({ noNaN: true, noInteger: true }),
      ),
      tree: fc.oneof(
        { depthSize: 'small' },
        tie('leaf'),
        fc.array(tie('tree'), { maxLength: 20 }),
        fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), tie('tree'), { noNullPrototype: true }),
      ),
    }));
    const asMaps = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(asMaps);
      if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
      return new Map(Object.entries(value).map(([key, each]) => [key, asMaps(each)]));
    };
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 20 }), (value) => {
        expect(readPlist(encodePlist(value))).toEqual(asMaps(value));
      }),
    );
  });
});

describe('readPlist on hostile plists', () => {
  const doubled = (levels: number) =>
    rawPlist([...Array.from({ length: levels }, (_, i) => rawArray(i + 1, i + 1)), [0x08]]);
  const nested = (levels: number) => rawPlist([...Array.from({ length: levels }, (_, i) => rawArray(i + 1)), [0x08]]);
  const HUGE = [0x13, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

  it.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'not a binary plist'],
    ['a signature alone', Buffer.from('bplist00'), 'the plist ends early'],
    ['an XML plist', Buffer.from('<?xml version="1.0"?><plist/>'.padEnd(100)), 'not a binary plist'],
    ['an array that holds itself', rawPlist([rawArray(0)]), 'a value that contains itself'],
    ['two arrays that hold each other', rawPlist([rawArray(1), rawArray(0)]), 'a value that contains itself'],
    ['arrays that double at every level', doubled(20), 'more values than a plist may have'],
    ['arrays nested too deep', nested(500), 'values nested too deep'],
    ['a string longer than the file', rawPlist([[0x5f, ...HUGE]]), 'an object ends early, at byte 18'],
    ['wide text longer than the file', rawPlist([[0x6f, ...HUGE]]), 'an object ends early, at byte 18'],
    ['data longer than the file', rawPlist([[0x4f, ...HUGE]]), 'an object ends early, at byte 18'],
    ['an array longer than the file', rawPlist([[0xaf, ...HUGE]]), 'an object ends early, at byte 18'],
    ['a dictionary longer than the file', rawPlist([[0xdf, ...HUGE]]), 'an object ends early, at byte 18'],
    ['a length that is a string', rawPlist([[0x5f, 0x51, 0x61]]), 'a length that is no integer'],
    ['a length of sixteen bytes', rawPlist([[0x5f, 0x14, ...Array(16).fill(0)]]), 'a length that is no integer'],
    ['a reference past the last object', rawPlist([rawArray(9)]), 'a reference to an object that is not there'],
    ['a root past the last object', rawPlist([[0x08]], { root: 5 }), 'a reference to an object that is not there'],
    ['more objects than the table', rawPlist([[0x08]], { count: 2n ** 63n }), 'a table of offsets out of its place'],
    ['a table past the end', rawPlist([[0x08]], { tableAt: 2n ** 62n }), 'a table of offsets out of its place'],
    ['a table in the header', rawPlist([[0x08]], { tableAt: 0n }), 'a table of offsets out of its place'],
    ['offsets of no bytes', rawPlist([[0x08]], { offsetSize: 0 }), 'references of 0 bytes'],
    ['references of nine bytes', rawPlist([[0x08]], { referenceSize: 9 }), 'references of 9 bytes'],
    ['an integer of 2^15 bytes', rawPlist([[0x1f, 0]]), 'an integer of 32768 bytes'],
    ['a real number of 16 bytes', rawPlist([[0x24, ...Array(16).fill(0)]]), 'a real number of 16 bytes'],
    ['an unknown type', rawPlist([[0x90]]), 'an object of type 90'],
    ['an unknown constant', rawPlist([[0x0f]]), 'an object of type f'],
    ['18 MiB', Buffer.concat([Buffer.from('bplist00'), Buffer.alloc(18 * 2 ** 20)]), '18874376 bytes'],
  ])('refuses %s', (_name, bytes, why) => {
    expect(refusal(() => readPlist(bytes))).toBe(why);
  });

  it('counts the bytes of strings that overlap in the file', () => {
    const text = Buffer.concat([Buffer.from([0x5f, 0x12, 0, 1, 0, 0]), Buffer.alloc(65_536, 0x61)]);
    const count = 1000;
    const plist = rawPlist([text, rawArray(...Array.from({ length: count }, (_, i) => i + 2))], { root: 1 });
    const table = Buffer.alloc(count * 4);
    for (let i = 0; i < count; i++) table.writeUInt32BE(8, i * 4);
    const trailer = Buffer.from(plist.subarray(-32));
    trailer.writeBigUInt64BE(BigInt(count + 2), 8);
    const bytes = Buffer.concat([plist.subarray(0, -32), table, trailer]);
    expect(refusal(() => readPlist(bytes))).toBe('more values than a plist may have');
  });
});

describe('readArchive', () => {
  it('follows the references of a keyed archive', () => {
    const archive = encodeArchive(
      new Map<string, Parameters<typeof encodeArchive>[0]>([
        ['text', 'words'],
        ['list', [1, true, 'two']],
        ['url', { url: 'https://example.com/a' }],
        ['relative', { url: 'b', base: 'https://example.com/a/' }],
        ['date', { date: 1_700_000_000_000 }],
        ['data', Buffer.from('bytes')],
        ['thing', { object: 'LPLinkMetadata', members: { title: 'A page' } }],
      ]),
    );
    expect(readArchive(archive)?.get('root')).toEqual(
      new Map<string, unknown>([
        ['text', 'words'],
        ['list', [1, true, 'two']],
        ['url', 'https://example.com/a'],
        ['relative', 'https://example.com/a/b'],
        ['date', new Date(1_700_000_000_000)],
        ['data', Buffer.from('bytes')],
        ['thing', new Map([['title', 'A page']])],
      ]),
    );
  });

  it('leaves out an object where it stands within itself', () => {
    const parent = {
      object: 'Parent',
      members: { name: 'p', child: { object: 'Child', members: { of: { self: true } } } },
    };
    expect(readArchive(encodeArchive(parent as Parameters<typeof encodeArchive>[0]))?.get('root')).toEqual(
      new Map<string, unknown>([
        ['name', 'p'],
        ['child', new Map()],
      ]),
    );
  });

  it('is undefined for a plist that is no archive', () => {
    expect(readArchive(encodePlist({ a: 1 }))).toBeUndefined();
  });

  it('refuses objects that double at every level, nest too deep or are not there', () => {
    const archive = (objects: unknown[]) =>
      encodePlist({ $archiver: 'NSKeyedArchiver', $top: { root: { UID: 1 } }, $objects: ['$null', ...objects] });
    const chain = (levels: number, width: number) =>
      Array.from({ length: levels }, (_, i) => ({ 'NS.objects': Array(width).fill({ UID: i + 2 }), level: i }));
    expect(refusal(() => readArchive(archive([...chain(20, 2), 'end'])))).toBe('more values than a plist may have');
    expect(refusal(() => readArchive(archive([...chain(500, 1), 'end'])))).toBe('objects nested too deep');
    expect(refusal(() => readArchive(archive([])))).toBe('a reference to an object that is not there');
  });

  it('counts a long text as often as it is named', () => {
    const objects = ['$null', { 'NS.objects': Array(2000).fill({ UID: 2 }) }, 'x'.repeat(100_000)];
    const bytes = encodePlist({ $archiver: 'NSKeyedArchiver', $top: { root: { UID: 1 } }, $objects: objects });
    expect(refusal(() => readArchive(bytes))).toBe('more values than a plist may have');
  });
});

describe('detectedType', () => {
  it("says what a data detector's archive was found to be", () => {
    const result = { object: 'DDScannerResult', members: { T: 'AuthCode', MS: '123456' } };
    expect(detectedType(encodeArchive(result, 'dd-result'))).toBe('AuthCode');
  });

  it('is undefined where the archive does not say', () => {
    expect(detectedType(encodeArchive('something else', 'dd-result'))).toBeUndefined();
    expect(detectedType(Buffer.from('bplist00'))).toBeUndefined();
  });
});

describe('isPlist', () => {
  it('knows a binary plist by its first bytes', () => {
    expect(isPlist(encodePlist({}))).toBe(true);
    expect(isPlist(Buffer.from('bplis'))).toBe(false);
  });
});
