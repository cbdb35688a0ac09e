import { describe, expect, it } from 'vitest';
import { encodeBody, plainSegments } from '../../src/simulator/typedstreamEncoder.ts';

const hex = (text: string) => text.replace(/\s+/g, '');
const HEAD = '040b 73747265616d7479706564 81e803';

describe('the bodies the simulated Messages writes', () => {
  it('are the bytes Messages writes for a plain message', () => {
    // Classes and strings in order of first appearance: 92… are references into the two tables.
    const expected = `${HEAD}
      8401 40 84 8484 12 4e5341747472696275746564537472696e67 00 8484 08 4e534f626a656374 00 85
      92 84 8484 08 4e53537472696e67 01 94 8401 2b 05 48656c6c6f 86
      8402 6949 01 05
      92 84 8484 0c 4e5344696374696f6e617279 00 94 8401 69 01
      92 84 96 96 1d 5f5f6b494d4d657373616765506172744174747269627574654e616d65 86
      92 84 8484 08 4e534e756d626572 00 8484 07 4e5356616c7565 00 94 8401 2a 84 99 99 00 86
      86 86`;
    expect(encodeBody([{ text: 'Hello' }]).toString('hex')).toBe(hex(expected));
  });

  it('have the mutable classes when composed on this Mac', () => {
    const body = encodeBody([{ text: 'Hello' }], { mutable: true }).toString('latin1');
    expect(body).toContain('\x84\x84\x84\x19NSMutableAttributedString\x00\x84\x84\x12NSAttributedString\x00');
    expect(body).toContain('\x84\x84\x84\x0fNSMutableString\x01\x84\x84\x08NSString\x01');
  });

  it.each([
    ['one byte up to 127', 127, '7f'],
    ['81 and two bytes from 128', 128, '818000'],
    ['81 and two bytes up to 32767', 32_767, '81ff7f'],
    ['82 and four bytes from 32768', 32_768, '8200800000'],
  ])('give the length of a text in %s', (_, length, form) => {
    const body = encodeBody([{ text: 'x'.repeat(length) }]);
    expect(body.toString('hex')).toContain(`84012b${form}7878`);
  });

  it('count bytes in the text and UTF-16 units in the runs', () => {
    const body = encodeBody([{ text: '😀é' }]).toString('hex');
    expect(body).toContain(`84012b06${Buffer.from('😀é').toString('hex')}86`);
    expect(body).toContain('840269490103');
  });

  it('have no runs for an empty text', () => {
    expect(encodeBody([{ text: '' }]).toString('hex')).toMatch(/84012b008686$/);
  });

  it('use the dictionary of an earlier run again when the attributes are the same', () => {
    const body = encodeBody([{ text: 'a' }, { text: '@Kim', mention: '+15550100001' }, { text: 'b' }]).toString(
      'latin1',
    );
    // Run 1 of one unit with its dictionary, run 2 of four with its own, run 1 again of one and nothing after it.
    expect(body).toContain('\x84\x02iI\x01\x01\x92\x84');
    expect(body).toContain('\x02\x04\x92\x84');
    expect(body.endsWith('\x01\x01\x86')).toBe(true);
    // The name of the part attribute and the number 0 stand in the stream once.
    expect(body.split('__kIMMessagePartAttributeName')).toHaveLength(2);
    expect(body.split('__kIMMentionConfirmedMention')).toHaveLength(2);
  });

  it('put files first, each on a placeholder in a part of its own', () => {
    expect(plainSegments('look', ['at_0_A', 'at_1_A'])).toEqual([
      { text: '\uFFFC', part: 0, attachment: 'at_0_A' },
      { text: '\uFFFC', part: 1, attachment: 'at_1_A' },
      { text: 'look', part: 2 },
    ]);
    const body = encodeBody(plainSegments('', ['at_0_A'])).toString('latin1');
    expect(body).toContain('__kIMFileTransferGUIDAttributeName');
    expect(body).toContain('at_0_A');
  });

  it('carry links, data, fractions and dictionaries as their own classes', () => {
    const body = encodeBody([
      {
        text: 'see',
        link: 'https://example.com/',
        attributes: {
          __kIMDataDetectedAttributeName: Uint8Array.of(1, 2, 3),
          __kIMInlineMediaWidthAttributeName: 1.5,
          __kIMBaseWritingDirectionAttributeName: -1,
          __kIMOneTimeCodeAttributeName: { code: '123456', displayCode: '123456' },
        },
      },
    ]).toString('latin1');
    expect(body).toContain('\x05NSURL\x00');
    expect(body).toContain('https://example.com/');
    expect(body).toContain('\x06NSData\x00');
    expect(body).toContain('\x84\x04[3c]\x01\x02\x03');
    expect(body).toContain('\x83\x00\x00\x00\x00\x00\x00\xf8\x3f');
    expect(body).toContain('displayCode');
  });

  it('write references past the hundred-and-tenth in two bytes', () => {
    // Objects 0–4 are the string, its text and their classes, 5–11 the first dictionary with its contents; each later
    // one takes two, so the number 59 is object 129.
    const segments = Array.from({ length: 60 }, (_, part) => ({ text: 'x', part }));
    const last = { text: 'y', part: 59, mention: '+15550100001' };
    const body = encodeBody([...segments, last]).toString('hex');
    expect(body).toContain(`9281${(129 - 110).toString(16)}00928496`);
  });
});
