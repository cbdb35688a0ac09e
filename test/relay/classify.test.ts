import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { type Classified, classify, type Surroundings } from '../../src/relay/classify.ts';
import { attributes, encodeBody } from '../chatdb/support/typedstreamEncoder.ts';
import { attachment } from '../support/chatRow.ts';
import {
  ANNA,
  AT,
  action,
  around,
  BERT,
  balloon,
  GROUP,
  message,
  NO_WORDS,
  PAIR,
  privacy,
  said,
  summary,
  tapback,
} from './messageRows.ts';

function kindOf(row: ChatRow, surroundings: Surroundings = around()): string {
  return named(classify(row, surroundings, privacy));
}

function named(classified: Classified): string {
  if (classified.kind === 'incomplete') return `incomplete: ${classified.missing}, else ${named(classified.otherwise)}`;
  if (classified.kind === 'skipped') return `skipped: ${classified.reason}`;
  return classified.kind === 'event' ? classified.event.event_type : classified.kind;
}

const photo = attachment({ guid: 'at_0' });
const MESSAGES: [title: string, row: ChatRow][] = [
  ['a plain text', message()],
  ['a text of which only the subject line was written', message({ ...said(''), subject: 'Dinner' })],
  ['a photo without words', message({ ...said('\ufffc'), cacheHasAttachments: true, attachments: [photo] })],
  [
    'a file that will not come any more',
    message({ attachments: [attachment({ guid: 'a', transferState: 'failed' })] }),
  ],
  ['an inline reply', message({ replyToGuid: 'T-1' })],
  ['a voice message', message({ ...said('\ufffc'), isAudio: true, attachments: [photo] })],
  ['a link that draws its own preview', message({ ...said('https://example.com'), ...balloon('link') })],
  [
    'a link with nothing but the hidden files of its preview',
    {
      ...message({ ...said('https://example.com'), ...balloon('link') }),
      cacheHasAttachments: true,
    },
  ],
  ['an app balloon without a body', message({ ...NO_WORDS, ...balloon('app') })],
  ['a poll', message({ ...said('\ufffd'), ...balloon('poll') })],
  ['words of a Watch app (type 3)', message({ association: undefined })],
  ['an association below 1000, which is no reaction', message(tapback(5))],
  ['an SMS', message({ service: 'SMS' })],
  ['a message by satellite', message({ service: 'iMessageLite' })],
  ['a business chat', message({ handle: 'urn:biz:0b5d7e3c' })],
  ['a short code', message({ handle: '22000' })],
  ['one without a handle in a conversation of two', message({ handle: undefined })],
  ['a body that cannot be decoded', message({ ...NO_WORDS, bodyBytes: 9, decodeError: 'not a typedstream' })],
  ['an edited text', message({ editedAt: AT + 1000 })],
  [
    'one of which a part is left',
    message({ editedAt: AT, ...summary({ unsentParts: [1] }), cacheHasAttachments: true }),
  ],
];

describe('what is a message', () => {
  it.each(MESSAGES)('%s', (_title, row) => {
    expect(kindOf(row)).toBe('message');
  });
});

const EVENTS: [title: string, row: ChatRow, eventType: string][] = [
  ...[2000, 2001, 2002, 2003, 2004, 2005, 2006, 2007, 1000, 4000].map((type): [string, ChatRow, string] => [
    `a reaction of type ${type}`,
    message(tapback(type)),
    'reaction_added',
  ]),
  ...[3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007].map((type): [string, ChatRow, string] => [
    `a removal of type ${type}`,
    message(tapback(type)),
    'reaction_removed',
  ]),
  ['a reaction by oneself', message({ ...tapback(2000), isFromMe: true }), 'reaction_added'],
  ['a reaction without words or body', message({ ...NO_WORDS, ...tapback(2000) }), 'reaction_added'],
  ['somebody added', message({ ...NO_WORDS, chat: GROUP, ...action(1) }), 'group_changed'],
  [
    'the group renamed by oneself',
    message({ ...NO_WORDS, chat: GROUP, handle: undefined, ...action(2) }),
    'group_changed',
  ],
  ['the group renamed on another device', message({ chat: GROUP, isFromMe: true, ...action(2) }), 'group_changed'],
  ['a location shared', message({ ...NO_WORDS, ...action(4) }), 'group_changed'],
  ['audio kept', message({ ...NO_WORDS, ...action(5) }), 'group_changed'],
  ['SharePlay', message({ ...NO_WORDS, ...action(6) }), 'group_changed'],
];

describe('what is an event', () => {
  it.each(EVENTS)('%s', (_title, row, eventType) => {
    expect(kindOf(row)).toBe(eventType);
  });
});

describe('what is one’s own', () => {
  it.each<[string, ChatRow]>([
    ['a message from another device', message({ isFromMe: true })],
    ['one that is still being written', message({ ...NO_WORDS, isFromMe: true, chat: undefined })],
    ['a Send Later row', message({ isScheduled: true, isFromMe: true, dateAt: AT + 86_400_000 })],
    ['a Send Later row that is not marked as one’s own yet', message({ isScheduled: true })],
    ['one that was unsent', message({ ...NO_WORDS, isFromMe: true, isEmpty: true, editedAt: AT })],
  ])('%s', (_title, row) => {
    expect(kindOf(row)).toBe('own');
  });
});

const late = attachment({ guid: 'at_0', transferState: 'pending' });
const PARTS: [title: string, row: ChatRow, verdict: string][] = [
  ['its chat', message({ chat: undefined }), 'chat, else message'],
  ['its sender in a group', message({ chat: GROUP, handle: undefined }), 'sender, else message'],
  ['everything it says', message(NO_WORDS), 'body, else message'],
  ['the file of its placeholder', message(said('\ufffc')), 'attachments, else message'],
  ['the file its flag promises', message({ cacheHasAttachments: true }), 'attachments, else message'],
  ['a file that is being fetched', message({ attachments: [photo, late] }), 'download, else message'],
  ['the chat of a reaction', message({ ...tapback(2000), chat: undefined }), 'chat, else reaction_added'],
  [
    'the sender of a reaction in a group',
    message({ ...tapback(3000), chat: GROUP, handle: undefined }),
    'sender, else reaction_removed',
  ],
  [
    'the picture of a sticker',
    message({ ...said('\ufffc'), ...tapback(1000), cacheHasAttachments: true }),
    'attachments, else reaction_added',
  ],
  [
    'the picture of a sticker, before its flag is set',
    message({ ...said('\ufffc'), ...tapback(2007) }),
    'attachments, else reaction_added',
  ],
  [
    'the file of its placeholder, and its body too',
    message({ ...NO_WORDS, text: '\ufffclook' }),
    'attachments, else message',
  ],
  [
    'a file that is being fetched, and its body too',
    message({ ...NO_WORDS, text: '\ufffclook', attachments: [late] }),
    'download, else message',
  ],
  ['the chat of a change', message({ ...action(2), chat: undefined }), 'chat, else group_changed'],
  [
    'the chat of one that was unsent',
    message({ ...NO_WORDS, chat: undefined, isEmpty: true, editedAt: AT }),
    'chat, else skipped: unsent',
  ],
  ['anything although it is marked empty', message({ ...NO_WORDS, isEmpty: true }), 'body, else message'],
];

describe('a row that lacks', () => {
  it.each(PARTS)('%s is waited for', (_title, row, verdict) => {
    expect(kindOf(row)).toBe(`incomplete: ${verdict}`);
  });

  it('its body beside the text column is waited for, and readable as it is', () => {
    const row = message({ ...NO_WORDS, text: 'the first half of a' });
    expect(classify(row, around(), privacy)).toMatchObject({ kind: 'incomplete', missing: 'body', isReadable: true });
    const empty = classify(message(NO_WORDS), around(), privacy);
    expect(empty).toMatchObject({ missing: 'body', isReadable: false });
  });

  it('the sticker’s file only in part is told at once', () => {
    expect(kindOf(message({ ...tapback(2007), attachments: [late], cacheHasAttachments: true }))).toBe(
      'reaction_added',
    );
  });
});

describe('a row that reads like a bubble of ours under way', () => {
  it('is waited for, because it may turn out to be that bubble', () => {
    expect(kindOf(message(), around({ isEcho: true }))).toBe('incomplete: echo, else message');
  });

  it('is waited for also where it reads like a reaction in words', () => {
    const row = message(said('Loved “hi”'));
    expect(kindOf(row, around({ isEcho: true, recent: ['hi'] }))).toBe('incomplete: echo, else skipped: reaction');
  });

  it('is an event all the same when it is one by its type', () => {
    expect(kindOf(message(tapback(2000)), around({ isEcho: true }))).toBe('reaction_added');
  });
});

describe('a message that was unsent before it was seen', () => {
  it('is not handed over, and told', () => {
    const row = message({ ...NO_WORDS, isEmpty: true, editedAt: AT + 5000, ...summary({ unsentParts: [0] }) });
    expect(classify(row, around(), privacy)).toMatchObject({
      kind: 'skipped',
      reason: 'unsent',
      event: { event_id: 'unsent:M-7:0', details: { whole: true, handed_over: false } },
    });
  });

  it('is known by its parts where no column says that it is empty', () => {
    expect(kindOf(message({ ...NO_WORDS, ...summary({ unsentParts: [0] }) }))).toBe('skipped: unsent');
  });

  it('is a message where a photo or a text is left', () => {
    const left = { editedAt: AT, ...summary({ unsentParts: [1] }) };
    expect(kindOf(message(left))).toBe('message');
    expect(kindOf(message({ ...said('\ufffc'), ...left, attachments: [photo] }))).toBe('message');
  });
});

describe('the preview of a link', () => {
  const text = message({ rowid: 6, guid: 'M-6', dateAt: AT - 700, ...said('look: https://example.com/a?b=1') });
  const preview = (change: Partial<ChatRow> = {}) =>
    message({ ...said('https://example.com/a?b=1'), ...balloon('link'), previousGuid: 'M-6', ...change });

  it('below its text is not handed over a second time', () => {
    expect(kindOf(preview(), around({ rows: [text] }))).toBe('skipped: preview');
  });

  it('is known also where Messages completed the address', () => {
    const short = { ...text, ...said('(see Example.com)') };
    const address = said('https://example.com/');
    expect(kindOf(preview(address), around({ rows: [short] }))).toBe('skipped: preview');
    const payload = { ...NO_WORDS, ...balloon('link', { url: 'https://example.com/' }) };
    expect(kindOf(preview(payload), around({ rows: [short] }))).toBe('skipped: preview');
  });

  it('is known where the address stands behind words', () => {
    const link = { url: 'https://example.com/a?b=1' };
    const body = decodeBody(encodeBody('see here', [{ length: 8, attributes: attributes({ part: 0, link }) }]));
    expect(kindOf(preview(), around({ rows: [{ ...text, body, text: body.text }] }))).toBe('skipped: preview');
  });

  it.each<[string, ChatRow[]]>([
    ['the row before it is gone', []],
    ['the row before it is by somebody else', [{ ...text, handle: BERT }]],
    ['the row before it is one’s own', [{ ...text, isFromMe: true }]],
    ['the row before it stands in another chat', [{ ...text, chat: { ...PAIR, identifier: BERT } }]],
    ['the row before it is older than ten seconds', [{ ...text, dateAt: AT - 10_001 }]],
    ['the dates are missing', [{ ...text, dateAt: undefined }]],
    ['the text names another page', [{ ...text, ...said('https://example.com/a?b=12') }]],
    ['the text names another host', [{ ...text, ...said('https://example.com.example.org/a?b=1') }]],
    ['the row before it is a link with a preview of its own', [{ ...text, ...balloon('link') }]],
  ])('is a message of its own when %s', (_title, rows) => {
    expect(kindOf(preview(), around({ rows }))).toBe('message');
  });

  it('is looked for only where a row can be one', () => {
    const surroundings = { ...around(), byGuid: () => expect.unreachable() };
    expect(kindOf(message({ previousGuid: 'M-6' }), surroundings)).toBe('message');
    expect(kindOf(preview({ previousGuid: undefined }), surroundings)).toBe('message');
  });
});

describe('a conversation with oneself', () => {
  it('has messages like any other, and own rows that are nothing', () => {
    const self = { chat: { ...PAIR, identifier: ANNA }, handle: ANNA, ownAddresses: [ANNA] };
    expect(kindOf(message(self))).toBe('message');
    expect(kindOf(message({ ...self, isFromMe: true }))).toBe('own');
  });
});
