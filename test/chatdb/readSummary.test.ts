import { describe, expect, it } from 'vitest';
import { readSummary } from '../../src/chatdb/readSummary.ts';
import { encodePlist, rawArray, rawPlist, real } from './support/plistEncoder.ts';
import { encodeText } from './support/typedstreamEncoder.ts';

/** Seconds since 2001, as edits are dated. */
const at = (ms: number) => real(ms / 1000 - 978_307_200);
const FIRST = 1_700_000_000_000;

describe('readSummary', () => {
  it('reads the versions of each edited part with their times', () => {
    const summary = readSummary(
      encodePlist({
        ust: true,
        amc: 0,
        ep: [0],
        otr: { 0: { lo: 0, le: 5 } },
        ec: {
          0: [
            { d: at(FIRST), t: encodeText('helo!') },
            { d: at(FIRST + 1500), t: encodeText('hello'), bcg: 'guid' },
          ],
          10: [{ t: encodeText('later part') }],
          2: [{ d: new Date(FIRST), t: encodeText('second') }],
        },
      }),
    );
    expect(summary).toEqual({
      edits: new Map([
        [
          0,
          [
            { text: 'helo!', writtenAt: FIRST },
            { text: 'hello', writtenAt: FIRST + 1500 },
          ],
        ],
        [2, [{ text: 'second', writtenAt: FIRST }]],
        [10, [{ text: 'later part', writtenAt: undefined }]],
      ]),
      editedParts: [0],
      unsentParts: [],
      originalRanges: new Map([[0, { start: 0, length: 5 }]]),
      associatedText: undefined,
    });
  });

  it('reads which parts were unsent, written as numbers or in digits', () => {
    expect(readSummary(encodePlist({ rp: [2, 0] }))?.unsentParts).toEqual([0, 2]);
    expect(readSummary(encodePlist({ rp: ['1', '0', 1], ep: ['3'] }))).toMatchObject({
      unsentParts: [0, 1],
      editedParts: [3],
    });
    expect(readSummary(encodePlist({ rp: 1 }))?.unsentParts).toEqual([1]);
    expect(readSummary(encodePlist({ rp: ['one', -1, 0.5, true] }))?.unsentParts).toEqual([]);
  });

  it('reads the words of the message a tapback belongs to', () => {
    expect(readSummary(encodePlist({ ams: 'see you at six', amc: 1 }))?.associatedText).toBe('see you at six');
  });

  it('keeps the place of a version that cannot be read', () => {
    const versions = [{ d: at(FIRST), t: Buffer.from('no typedstream') }, { d: at(FIRST) }, { t: encodeText('now') }];
    expect(readSummary(encodePlist({ ec: { 0: versions } }))?.edits.get(0)).toEqual([
      { text: '', writtenAt: FIRST },
      { text: '', writtenAt: FIRST },
      { text: 'now', writtenAt: undefined },
    ]);
  });

  it('takes what is of another type than it should be for not there', () => {
    const odd = { ec: ['x'], ep: { a: 1 }, rp: 'none', otr: { 0: 5, x: {}, 1: { lo: 'a' } }, ams: 5 };
    expect(readSummary(encodePlist(odd))).toEqual({
      edits: new Map(),
      editedParts: [],
      unsentParts: [],
      originalRanges: new Map(),
      associatedText: undefined,
    });
    expect(readSummary(encodePlist({ ec: { 0: 'x', 1: [{ d: 'soon', t: 5 }] } }))?.edits).toEqual(
      new Map([[1, [{ text: '', writtenAt: undefined }]]]),
    );
  });

  it('reads only so much text in versions that all hold the same long one', () => {
    const key = (name: string) => [0x50 | name.length, ...Buffer.from(name)];
    const body = encodeText('x'.repeat(100_000));
    const length = Buffer.from([0x4f, 0x12, 0, 0, 0, 0]);
    length.writeUInt32BE(body.length, 2);
    const plist = rawPlist([
      [0xd1, 0, 1, 0, 2],
      key('ec'),
      [0xd1, 0, 3, 0, 4],
      key('0'),
      rawArray(...Array<number>(400).fill(5)),
      [0xd1, 0, 6, 0, 7],
      key('t'),
      Buffer.concat([length, body]),
    ]);
    const versions = readSummary(plist)?.edits.get(0) ?? [];
    expect(versions).toHaveLength(400);
    expect(versions[0]?.text).toHaveLength(100_000);
    expect(versions.at(-1)?.text).toBe('');
  });

  it('is undefined for what is no summary', () => {
    expect(readSummary(Buffer.from('bplist00'))).toBeUndefined();
    expect(readSummary(Buffer.from('plain'))).toBeUndefined();
    expect(readSummary(rawPlist([[0x08]]))).toBeUndefined();
  });
});
