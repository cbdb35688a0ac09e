import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { classify } from '../../src/relay/classify.ts';
import { MAX_TEXT_BYTES } from '../../src/relay/filterText.ts';
import { createPrivacyFilter, type PrivacySettings } from '../../src/relay/privacy.ts';
import { revisionEvents } from '../../src/relay/revisionEvents.ts';
import { groupEvent } from '../../src/relay/rowEvents.ts';
import { toRequest } from '../../src/relay/toRequest.ts';
import { attachment } from '../support/chatRow.ts';
import { ChangeRig, summary as changed } from './changeRig.ts';
import {
  ANNA,
  AT,
  action,
  around,
  balloon,
  CARD,
  GROUP,
  message,
  privacy,
  said,
  summary,
  tapback,
} from './messageRows.ts';

const DIGITS = CARD.replaceAll(' ', '');
const MARK = '[redacted:payment_card]';
const digitsOf = (value: unknown) => JSON.stringify(value)?.replaceAll(/\D/g, '') ?? '';

function request(change: Partial<ChatRow>, settings?: Partial<PrivacySettings>) {
  const filter = settings ? createPrivacyFilter({ redact: [], denyThreads: [], ...settings }) : privacy;
  return toRequest(message(change), ANNA, { privacy: filter, backfill: false, now: AT });
}

describe('a card number leaves this Mac', () => {
  it.each([
    ['the text', said(`pay ${CARD}`)],
    ['the subject', { subject: CARD }],
    ['subject and text together', { subject: '4242 4242', ...said('4242 4242') }],
    ['a voice message', { ...said(`pay ${CARD}`), isAudio: true }],
    [
      'the title of a link',
      { ...said('\ufffd'), ...balloon('link', { caption: CARD, url: `https://x.example/${DIGITS}` }) },
    ],
    ['a poll', { ...said('\ufffd'), ...balloon('poll', { caption: 'Which?', options: [CARD, 'none'] }) }],
    ['what an app writes', { ...said('\ufffd'), ...balloon('app', { app: CARD, caption: CARD, subcaption: CARD }) }],
    ['the column beside a damaged body', { text: CARD, bodyBytes: 9, decodeError: 'the stream ends early, at byte 7' }],
    ['the name of a file', { attachments: [attachment({ guid: 'a', name: `${CARD}.jpg` })] }],
    ['digits set apart by a photo', said('4242 4242 \ufffc4242 4242')],
    ['digits with marks over them', said([...DIGITS].join('\u0336'))],
    ['digits set apart by what is not seen', said([...DIGITS].join('\u200b\u2060'))],
    ['digits in circles', said([...DIGITS].map((digit) => String.fromCodePoint(0x245f + Number(digit))).join(''))],
  ])('in no POST: %s', (_where, change) => {
    const { was_redacted, redacted_fields, ...rest } = request(change as Partial<ChatRow>);
    const { thread_id, sender, participants, chat_guid, original_timestamp, ...words } = rest;
    expect(digitsOf(words)).not.toContain('4242');
    expect(JSON.stringify(words)).not.toMatch(/[①-⑨]{3}/);
    expect({ was_redacted, redacted_fields }).toEqual({ was_redacted: true, redacted_fields: ['payment_card'] });
  });

  it.each([
    ['a reaction’s emoji', message({ ...tapback(2006, { emoji: DIGITS }) })],
    ['a sticker’s file', message({ ...tapback(1000), attachments: [attachment({ guid: 'a', name: CARD })] })],
    ['a group’s name', message({ chat: GROUP, ...action(2, 0, { title: CARD }) })],
  ])('in no event: %s', (_where, row) => {
    const classified = classify(row, around(), privacy);
    expect(classified.kind).toBe('event');
    const { details } = (classified as { event: { details: object } }).event;
    expect(JSON.stringify(details)).toContain(MARK);
    expect(digitsOf({ ...details, at: '', sender: '', actor: '' })).not.toContain('4242');
  });

  it('in no id of an event: a hash of a short secret is no secret', () => {
    const id = (title: string) => {
      const { action: renamed } = action(2, 0, { title });
      return groupEvent(message({ chat: GROUP }), renamed, privacy).event_id;
    };
    expect(id(CARD)).toBe(id(MARK));
    const reacted = (emoji: string) => {
      const found = classify(message(tapback(2006, { emoji })), around(), privacy);
      return (found as { event: { event_id: string } }).event.event_id;
    };
    expect(reacted(DIGITS)).toBe(reacted(MARK));
  });

  it('in no version of an edit', () => {
    const texts = [`first ${CARD}`, 'second', `third ${CARD}`];
    const versions = texts.map((text, index) => ({ text, writtenAt: AT + index }));
    const row = message({ ...said('second'), editedAt: AT + 2, ...summary({ edits: new Map([[0, versions]]) }) });
    const [event] = revisionEvents(row, { privacy, handedOver: true, threadId: ANNA });
    expect(digitsOf((event!.details.history as { versions: unknown }[])[0]!.versions)).not.toContain('4242');
    expect(event!.details.redacted_fields).toEqual(['payment_card']);
  });

  it('not in part where what is looked through ends, however much shorter the rest became', () => {
    // A key of half a megabyte is one short mark, and the card stands across the end of what is filtered.
    const key = `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(2 * MAX_TEXT_BYTES - 90)}\n-----END PRIVATE KEY-----\n`;
    const text = `${key}${' '.repeat(2 * MAX_TEXT_BYTES - key.length - 12)}${DIGITS} and more`;
    const { filtered_text, filter_reason } = request({ text }, { redact: ['private_key', 'payment_card'] });
    expect(digitsOf(filtered_text)).toBe('');
    expect(filter_reason).toContain('truncated');
  });

  it('not in part where the patterns of the settings have no more time', () => {
    const redact = [
      'payment_card' as const,
      { name: 'slow', pattern: 'x{1,300}y' },
      { name: 'word', pattern: 'secret-\\w+' },
    ];
    for (const secret of [DIGITS, 'secret-abcdefgh']) {
      for (let before = 1_000; before < 1_600; before++) {
        const { filtered_text } = request({ text: `${'z'.repeat(before)} ${secret} ${'z'.repeat(9_000)}` }, { redact });
        expect(filtered_text).not.toMatch(/\d|secret/);
      }
    }
  });
});

describe('a dropped version of a message', () => {
  const drop = [{ name: 'ads', pattern: 'canary' }];

  async function rigWith(): Promise<ChangeRig> {
    const rig = new ChangeRig();
    const filter = createPrivacyFilter({ redact: [], denyThreads: [], drop });
    rig.privacy.refuses = (about) => filter.refuses(about as never);
    return rig.start();
  }

  it('is left out of the history of those that are told', async () => {
    const rig = await rigWith();
    rig.message(1, { text: 'hello' });
    rig.edit('guid-1', 'a canary');
    await rig.clock.advance(5);
    rig.edit('guid-1', 'hello again');
    await rig.changed();
    expect(rig.events).toHaveLength(1);
    expect(JSON.stringify(rig.events)).not.toContain('canary');
    expect(rig.events[0]!.details).toMatchObject({ text: 'hello again', redacted_fields: ['drop:ads'] });
  });

  it('is not told when it comes late, in the subject or as a transcript either', async () => {
    for (const late of [{ text: 'a canary' }, { subject: 'a canary' }]) {
      const rig = await rigWith();
      rig.message(1, { text: 'hello' });
      rig.source.change('guid-1', late);
      await rig.changed(5_000);
      expect(rig.events).toEqual([]);
    }
  });

  it('is not told by an edit of the subject', async () => {
    const rig = await rigWith();
    rig.message(1, { text: 'hello' });
    rig.edit('guid-1', 'hello again', { subject: 'a canary' });
    await rig.changed();
    expect(rig.events).toEqual([]);
  });
});

describe('a history made to take long', () => {
  it('is not looked through further than a few messages are', () => {
    const slow = createPrivacyFilter({
      redact: [{ name: 'slow', pattern: '[a-z]{1,200}\\d|[a-z]' }],
      denyThreads: [],
    });
    const versions = Array.from({ length: 20 }, (_, index) => ({
      text: 'abcdefgh '.repeat(100),
      writtenAt: AT + index,
    }));
    const edits = new Map(Array.from({ length: 100 }, (_, part) => [part, versions] as const));
    const row = message({ ...said('hi'), editedAt: AT, summary: changed({ edits }) });
    const [event] = revisionEvents(row, { privacy: slow, handedOver: true, threadId: ANNA });
    expect(event!.details.redacted_fields).toContain('unscanned');
  });
});
