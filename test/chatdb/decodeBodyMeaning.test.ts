import { describe, expect, it } from 'vitest';
import { detectedType } from '../../src/chatdb/detectedType.ts';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import { encodeArchive } from './support/plistEncoder.ts';
import { attributes, encodeBody, encodeText, type Run, type Value } from './support/typedstreamEncoder.ts';

/** A run of part 0 with these attributes besides. */
function run(length: number, entries: Record<string, Value> = {}): Run {
  return { length, attributes: new Map([...attributes({ part: 0 }), ...Object.entries(entries)]) };
}

const BOLD = { __kIMTextBoldAttributeName: 1 };
const ITALIC = { __kIMTextItalicAttributeName: 1 };

describe('decodeBody', () => {
  it('finds a one-time code, and what it was recognised by', () => {
    const archive = encodeArchive({ object: 'DDScannerResult', members: { T: 'AuthCode' } }, 'dd-result');
    const code = new Map([
      ['code', '123456'],
      ['displayCode', '123-456'],
    ]);
    const marked = run(7, { __kIMOneTimeCodeAttributeName: code, __kIMDataDetectedAttributeName: archive });
    const body = decodeBody(encodeBody('Code: 123-456', [run(6), marked]));
    expect(body.codes).toEqual([{ code: '123456', displayCode: '123-456', start: 6, length: 7 }]);
    expect(body.detections).toEqual([{ kind: 'data', start: 6, length: 7, archive }]);
    expect(body.detections.map((found) => detectedType(found.archive))).toEqual(['AuthCode']);
  });

  it('shows a one-time code as it is where nothing else is said', () => {
    const marked = run(4, { __kIMOneTimeCodeAttributeName: new Map([['code', '1234']]) });
    expect(decodeBody(encodeBody('1234', [marked])).codes).toMatchObject([{ code: '1234', displayCode: '1234' }]);
  });

  it('finds text styles with their ranges, side by side', () => {
    const body = decodeBody(
      encodeBody('abcdefgh', [
        run(2, BOLD),
        run(2, { ...BOLD, ...ITALIC }),
        run(1, ITALIC),
        run(1),
        run(2, { __kIMTextUnderlineAttributeName: 1, __kIMTextStrikethroughAttributeName: 1, ...BOLD }),
      ]),
    );
    expect(body.styles).toEqual([
      { style: 'bold', start: 0, length: 4 },
      { style: 'italic', start: 2, length: 3 },
      { style: 'underline', start: 6, length: 2 },
      { style: 'strikethrough', start: 6, length: 2 },
      { style: 'bold', start: 6, length: 2 },
    ]);
  });

  it('takes a style of value 0 for none', () => {
    expect(decodeBody(encodeBody('ab', [run(2, { __kIMTextBoldAttributeName: 0 })])).styles).toEqual([]);
  });

  it('names text effects, known and new', () => {
    const numbers = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
    const runs = numbers.map((number) => run(1, { __kIMTextEffectAttributeName: number }));
    const names = decodeBody(encodeBody('abcdefghij', runs)).effects.map(({ effect }) => effect);
    expect(names).toEqual([
      'ripple',
      'big',
      'bloom',
      'effect_7',
      'nod',
      'shake',
      'jitter',
      'small',
      'explode',
      'effect_13',
    ]);
  });

  it('joins neighbouring runs of one effect', () => {
    const shake = { __kIMTextEffectAttributeName: 9 };
    const body = decodeBody(encodeBody('abcd', [run(2, shake), run(2, { ...shake, ...BOLD })]));
    expect(body.effects).toEqual([{ effect: 'shake', start: 0, length: 4 }]);
  });

  it('tells a link that is drawn as a preview from one in the text', () => {
    const url = { url: 'https://example.com/a' };
    const body = decodeBody(
      encodeBody('a b', [
        run(1, { __kIMLinkAttributeName: url, __kIMLinkIsRichLinkAttributeName: 1 }),
        run(1),
        run(1, { __kIMLinkAttributeName: url }),
      ]),
    );
    expect(body.links).toEqual([
      { url: 'https://example.com/a', start: 0, length: 1, isRich: true },
      { url: 'https://example.com/a', start: 2, length: 1 },
    ]);
  });

  it('reads the transcript of an audio message', () => {
    const audio = run(1, { __kIMFileTransferGUIDAttributeName: 'at_0_A1', IMAudioTranscription: 'see you at six' });
    const body = decodeBody(encodeBody('\ufffc', [audio]));
    expect(body.transcripts).toEqual([{ text: 'see you at six', start: 0 }]);
    expect(body.attachments).toEqual([{ guid: 'at_0_A1', start: 0 }]);
  });

  it('finds phone numbers, addresses and dates that were recognised', () => {
    const archive = Buffer.from('archive');
    const body = decodeBody(
      encodeBody('abc', [
        run(1, { __kIMPhoneNumberAttributeName: archive }),
        run(1, { __kIMAddressAttributeName: archive }),
        run(1, { __kIMCalendarEventAttributeName: archive }),
      ]),
    );
    expect(body.detections.map(({ kind, start }) => [kind, start])).toEqual([
      ['phone_number', 0],
      ['address', 1],
      ['calendar_event', 2],
    ]);
  });

  it("finds the placeholder of an app's balloon", () => {
    expect(decodeBody(encodeText('\ufffd')).replacements).toEqual([0]);
    expect(decodeBody(encodeText('a \ufffd b \ufffd')).replacements).toEqual([2, 6]);
    expect(decodeBody(encodeText('\ufffd'.repeat(5000))).replacements).toHaveLength(1000);
  });

  it('takes attributes of another type than they should be for not there', () => {
    const odd: Record<string, Value> = {
      __kIMMessagePartAttributeName: 'zero',
      __kIMOneTimeCodeAttributeName: new Map([['code', 5]]),
      __kIMTextEffectAttributeName: 'shake',
      __kIMTextBoldAttributeName: 'yes',
      __kIMDataDetectedAttributeName: 'archive',
      IMAudioTranscription: 7,
      __kIMLinkAttributeName: 7,
    };
    const body = decodeBody(encodeBody('x', [{ length: 1, attributes: new Map(Object.entries(odd)) }]));
    expect(body).toMatchObject({
      parts: [],
      codes: [],
      effects: [],
      styles: [],
      detections: [],
      transcripts: [],
      links: [],
    });
  });

  it('reads a text of 16 MiB, and no more than a body may have', () => {
    const text = 'x'.repeat(16 * 2 ** 20);
    const length = Buffer.alloc(5, 0x82);
    length.writeUInt32LE(text.length, 1);
    const small = encodeText('hello');
    const at = small.indexOf('hello');
    const end = small.subarray(at + 5);
    // The run is as long as the text: 5 becomes 16 MiB.
    const runs = end.indexOf(Buffer.from([0x69, 0x49, 0x01, 0x05])) + 3;
    const parts = [
      small.subarray(0, at - 1),
      length,
      Buffer.from(text),
      end.subarray(0, runs),
      length,
      end.subarray(runs + 1),
    ];
    const body = decodeBody(Buffer.concat(parts));
    expect(body.text === text).toBe(true);
    expect(body.parts).toEqual([{ index: 0, start: 0, length: text.length }]);
    expect(() => decodeBody(Buffer.concat([small, Buffer.alloc(17 * 2 ** 20)]))).toThrow('17825');
  });
});
