import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import { MAX_TEXT_BYTES } from '../../src/relay/filterText.ts';
import { createPrivacyFilter } from '../../src/relay/privacy.ts';
import { threadOf, toRequest } from '../../src/relay/toRequest.ts';
import { encodeBody, type Value } from '../chatdb/support/typedstreamEncoder.ts';
import { attachment } from '../support/chatRow.ts';
import { ANNA, BERT, chat, row } from './fakes.ts';

const privacy = createPrivacyFilter({ redact: ['payment_card'], denyThreads: [] });
const request = (change: Parameters<typeof row>[1] = {}, backfill = false) => {
  const one = row(1, change);
  return toRequest(one, threadOf(one)!, { privacy, backfill, now: Date.UTC(2026, 5, 1) });
};

describe('the thread of a row', () => {
  it('is the identifier of its chat, whatever service or address the person used', () => {
    for (const prefix of ['iMessage', 'SMS', 'RCS', 'any']) {
      const guid = `${prefix};-;${ANNA}`;
      expect(threadOf(row(1, { handle: 'anna@example.com', chat: { ...chat(ANNA), guid } }))).toBe(ANNA);
    }
    expect(threadOf(row(1, { chat: chat('chat831', true), handle: BERT }))).toBe('chat831');
  });

  it('is the handle without a chat, and nothing without both', () => {
    expect(threadOf(row(1, { chat: undefined }))).toBe(ANNA);
    expect(threadOf(row(1, { chat: chat(''), handle: ANNA }))).toBe(ANNA);
    expect(threadOf(row(1, { chat: undefined, handle: undefined }))).toBeUndefined();
  });
});

describe('the request of a message', () => {
  it('carries what the protocol names and nothing else', () => {
    expect(request()).toEqual({
      thread_id: ANNA,
      sender: ANNA,
      filtered_text: 'text 1',
      message_guid: 'guid-1',
      original_timestamp: '2026-01-01T00:00:00.000Z',
      is_group: false,
      participants: [ANNA],
      chat_guid: `iMessage;-;${ANNA}`,
      service: 'iMessage',
      was_redacted: false,
      redacted_fields: [],
      filter_reason: '',
    });
  });

  it('names a group by its identifier and the sender by the handle', () => {
    const group = request({ chat: chat('chat831', true), handle: BERT });
    expect(group).toMatchObject({ thread_id: 'chat831', sender: BERT, is_group: true, participants: [ANNA, BERT] });
  });

  it('has attachments, a reply and old news only where there are any', () => {
    const attachments = [attachment({ guid: 'at_0', name: 'a.heic', mimeType: 'image/heic', sizeBytes: 9 })];
    expect(request({ attachments, replyToGuid: 'guid-0', text: '\ufffc' }, true)).toMatchObject({
      attachments: [{ guid: 'at_0', name: 'a.heic', mime_type: 'image/heic', size_bytes: 9 }],
      reply_to_guid: 'guid-0',
      backfill: true,
      filtered_text: '',
    });
  });

  it('leaves every other character as it is', () => {
    const text = ' "quoted" \\ \n\u2028 \u05d0\u05d1 🙂 \u202e ';
    expect(request({ text: `\ufffc${text}\ufffc` }).filtered_text).toBe(text);
  });

  it('takes the present for a date that is missing', () => {
    expect(request({ dateAt: undefined }).original_timestamp).toBe('2026-06-01T00:00:00.000Z');
  });

  it('cuts a text that is too long at a whole character and says so', () => {
    const long = request({ text: `a${'🙂'.repeat(MAX_TEXT_BYTES / 4)}` });
    expect(long.filter_reason).toBe('truncated');
    expect(Buffer.byteLength(long.filtered_text)).toBe(MAX_TEXT_BYTES - 3);
    expect(long.filtered_text.endsWith('🙂')).toBe(true);
    expect(request({ text: 'a'.repeat(MAX_TEXT_BYTES) }).filter_reason).toBe('');
    expect(request({ text: 'a'.repeat(MAX_TEXT_BYTES * 4) }).filtered_text).toHaveLength(MAX_TEXT_BYTES);
  });

  it.each([
    ['iMessage', 'iMessage'],
    ['iMessageLite', 'iMessage'],
    ['SMS', 'SMS'],
    ['sms', 'SMS'],
    ['SatelliteSMS', 'SMS'],
    ['RCS', 'RCS'],
    ['rcs', 'RCS'],
    ['', 'RCS'],
    ['any', 'RCS'],
  ])('calls the service %j %s, and asks the chat where the row does not say', (service, wire) => {
    expect(request({ service, chat: { ...chat(ANNA), service: 'RCS' } }).service).toBe(wire);
  });

  it('is iMessage where neither row nor chat says', () => {
    expect(request({ service: '', chat: { ...chat(ANNA), service: '' } }).service).toBe('iMessage');
  });

  it('says which file had not been fetched when it went', () => {
    const attachments = [
      attachment({ guid: 'a', transferState: 'pending' }),
      attachment({ guid: 'b', transferState: 'failed' }),
      attachment({ guid: 'c', isSticker: true }),
    ];
    expect(request({ attachments }).attachments?.map(({ guid, pending }) => [guid, pending])).toEqual([
      ['a', true],
      ['b', undefined],
      ['c', undefined],
    ]);
    const many = Array.from({ length: 200 }, (_, index) => attachment({ guid: `at_${index}` }));
    expect(request({ attachments: many }).attachments).toHaveLength(100);
  });

  it('gives the privacy filter the codes that Messages marked', () => {
    const codes = new Map<string, Value>([['code', '123456']]);
    const run = { length: 6, attributes: new Map<string, Value>([['__kIMOneTimeCodeAttributeName', codes]]) };
    const body = decodeBody(encodeBody('123456', [run]));
    const asked: unknown[] = [];
    const recorder = {
      redact(text: string, hints?: { codes?: string[] }) {
        asked.push([text, hints?.codes]);
        return { text, redacted: [] };
      },
    };
    toRequest(row(1, { text: body.text, body }), ANNA, { privacy: recorder, backfill: false, now: 0 });
    expect(asked).toEqual([['123456', ['123456']]]);
  });

  it('says what the privacy filter did', () => {
    expect(request({ text: 'pay 4242 4242 4242 4242' })).toMatchObject({
      filtered_text: 'pay [redacted:payment_card]',
      was_redacted: true,
      redacted_fields: ['payment_card'],
      filter_reason: 'redacted',
    });
  });
});
