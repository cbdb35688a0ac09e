import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../src/chatdb/typedstream/decodeBody.ts';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { codesOf, messageText } from '../../src/relay/messageText.ts';
import { encodeBody, type Value } from '../chatdb/support/typedstreamEncoder.ts';
import { balloon, message, NO_WORDS, said } from './messageRows.ts';

/** A body of one run with this attribute. */
function marked(text: string, name: string, value: Value): Pick<ChatRow, 'text' | 'body' | 'bodyBytes'> {
  const bytes = encodeBody(text, [{ length: text.length, attributes: new Map<string, Value>([[name, value]]) }]);
  return { text, body: decodeBody(bytes), bodyBytes: bytes.length };
}

const voice = { isAudio: true, ...marked('\ufffc', 'IMAudioTranscription', 'I am late') };
const plugin = said('\ufffd');

const TEXTS: [title: string, row: ChatRow, text: string][] = [
  ['a text as it is', message(said(' \n a  \u202e🙂 ')), ' \n a  \u202e🙂 '],
  ['a text between photos', message(said('\ufffcboth\ufffc')), 'both'],
  ['nothing for a photo alone', message(said('\ufffc')), ''],
  ['the subject above the text', message({ subject: 'Dinner' }), 'Dinner\nhello'],
  ['the subject alone', message({ ...said(''), subject: 'Dinner' }), 'Dinner'],
  ['a character that was lost on its way', message(said('caf\ufffd')), 'caf\ufffd'],
  ['the transcript of a voice message', message(voice), 'I am late'],
  ['nothing for a voice message without one', message({ ...said('\ufffc'), isAudio: true }), ''],
  ['the words beside a recording', message({ ...voice, text: '\ufffclisten' }), 'listen'],
  ['an amount', message({ ...plugin, ...balloon('apple_cash', { caption: '$5.00' }) }), '[Apple Cash] $5.00'],
  [
    'a question with its options',
    message({ ...plugin, ...balloon('poll', { caption: 'Lunch?', options: ['Pizza', 'Sushi'] }) }),
    '[Poll] Lunch? (Pizza / Sushi)',
  ],
  ['a poll that says nothing', message({ ...plugin, ...balloon('poll') }), '[Poll]'],
  ['handwriting', message({ ...plugin, ...balloon('handwriting') }), '[Handwritten message]'],
  ['a drawing', message({ ...NO_WORDS, ...balloon('digital_touch') }), '[Digital Touch message]'],
  ['a check-in', message({ ...plugin, ...balloon('check_in', { caption: 'Home' }) }), '[Check In] Home'],
  ['a place', message({ ...plugin, ...balloon('find_my', { caption: 'Anna' }) }), '[Find My] Anna'],
  ['photos in iCloud', message({ ...plugin, ...balloon('photos', { caption: '3 Photos' }) }), '[Photos] 3 Photos'],
  [
    'a shop',
    message({ ...plugin, ...balloon('business', { caption: 'Your order' }) }),
    '[Business message] Your order',
  ],
  ['a game', message({ ...plugin, ...balloon('app', { app: 'Chess', caption: 'Your move' }) }), '[Chess] Your move'],
  ['an app that gives no name', message({ ...plugin, ...balloon('app') }), '[App message]'],
  [
    'an app whose words stand in the text',
    message({ ...said('Your move'), ...balloon('app') }),
    '[App message] Your move',
  ],
  [
    'an app with words beside its own',
    message({ ...said('\ufffdhave a look'), ...balloon('app', { app: 'Chess', caption: 'Your move' }) }),
    '[Chess] Your move\nhave a look',
  ],
  [
    'a workout',
    message({
      ...said('$(kIMTranscriptPluginBreadcrumbTextReceiverIdentifier) are ahead.'),
      ...balloon('fitness'),
    }),
    '[Fitness] You are ahead.',
  ],
  [
    'a link as it was written',
    message({ ...said('https://example.com/a'), ...balloon('link') }),
    'https://example.com/a',
  ],
  [
    'a link among words with a lost character',
    message({ ...said('caf\ufffd https://example.com'), ...balloon('link') }),
    'caf\ufffd https://example.com',
  ],
  [
    'the address of a link without a text',
    message({ ...plugin, ...balloon('link', { url: 'https://example.com/' }) }),
    'https://example.com/',
  ],
];

describe('the text of a message', () => {
  it.each(TEXTS)('is %s', (_title, row, text) => {
    expect(messageText(row)).toBe(text);
  });
});

describe('one-time codes', () => {
  it('are those that Messages marked in the body', () => {
    const codes = new Map<string, Value>([
      ['code', '123456'],
      ['displayCode', '123-456'],
    ]);
    expect(codesOf(message(marked('123-456 is it', '__kIMOneTimeCodeAttributeName', codes)))).toEqual([
      '123-456',
      '123456',
    ]);
    expect(codesOf(message())).toEqual([]);
  });
});
