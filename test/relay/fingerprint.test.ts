import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import { fingerprintOf } from '../../src/relay/fingerprint.ts';
import { attributes, encodeBody } from '../chatdb/support/typedstreamEncoder.ts';
import { attachment } from '../support/chatRow.ts';
import { ANNA, AT, BERT, GROUP, message, NO_WORDS, PAIR, said, summary } from './messageRows.ts';

const first = fingerprintOf(message());
const photo = { ...said('\ufffc'), attachments: [attachment({ guid: 'at_0', name: 'a.heic' })] };

describe('the fingerprint of a message', () => {
  it('is the same under another ROWID, guid, chat and read state', () => {
    expect(first).toMatch(/^[\w-]{32}$/);
    const again = { rowid: 99, guid: 'M-99', chat: { ...PAIR, guid: `any;-;${ANNA}` }, isRead: true };
    expect(fingerprintOf(message(again))).toBe(first);
  });

  it('is the same with the text in its column only, or in another normal form', () => {
    expect(fingerprintOf(message({ ...NO_WORDS, text: 'hello' }))).toBe(first);
    expect(fingerprintOf(message(said('caf\u00e9')))).toBe(fingerprintOf(message(said('cafe\u0301'))));
  });

  it('is another for another sender, date, text or file', () => {
    const others = [
      message({ handle: BERT }),
      message({ rawDate: '802008000000000001' }),
      message(said('hello!')),
      message({ subject: 'hello' }),
      message(photo),
      message({ ...photo, attachments: [attachment({ guid: 'at_0', name: 'b.heic' })] }),
    ].map(fingerprintOf);
    expect(new Set([first, ...others]).size).toBe(others.length + 1);
  });

  it('is that of the original after an edit', () => {
    const edits = new Map([
      [
        0,
        [
          { text: 'hello', writtenAt: AT },
          { text: 'goodbye', writtenAt: AT + 1 },
        ],
      ],
    ]);
    expect(fingerprintOf(message({ ...said('goodbye'), editedAt: AT, ...summary({ edits }) }))).toBe(first);
  });

  it('is that of the original where one part of several was edited', () => {
    const body = (start: string) =>
      decodeBody(
        encodeBody(`${start}\ufffcend`, [
          { length: start.length, attributes: attributes({ part: 0 }) },
          { length: 1, attributes: attributes({ part: 1, attachment: 'at_0' }) },
          { length: 3, attributes: attributes({ part: 2 }) },
        ]),
      );
    const row = (start: string) => message({ ...photo, body: body(start), text: body(start).text, bodyBytes: 1 });
    const edits = new Map([
      [
        0,
        [
          { text: 'one', writtenAt: AT },
          { text: 'changed', writtenAt: AT },
        ],
      ],
    ]);
    expect(fingerprintOf({ ...row('changed'), ...summary({ edits }) })).toBe(fingerprintOf(row('one')));
  });

  it('is missing where who or when is', () => {
    expect(fingerprintOf(message({ chat: GROUP, handle: undefined }))).toBeUndefined();
    expect(fingerprintOf(message({ chat: undefined, handle: undefined }))).toBeUndefined();
    expect(fingerprintOf(message({ rawDate: '0' }))).toBeUndefined();
    expect(fingerprintOf(message({ isFromMe: true }))).toBeUndefined();
    expect(fingerprintOf(message({ handle: undefined }))).toBe(first);
  });
});

describe('the fingerprint of a text that is far too long', () => {
  it('goes by its beginning and its length', () => {
    const of = (text: string) => fingerprintOf(message({ text }));
    const long = 'y'.repeat(1_000_000);
    expect(of(`${long}a`)).toBe(of(`${long}b`));
    expect(of(long)).not.toBe(of(`${long}b`));
    expect(of(`x${long}`)).not.toBe(of(`y${long}`));
  });
});
