import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { classify, type EventDraft } from '../../src/relay/classify.ts';
import { groupCreated } from '../../src/relay/rowEvents.ts';
import { attachment } from '../support/chatRow.ts';
import { ANNA, action, around, BERT, CARD, GROUP, message, NO_WORDS, privacy, said, tapback } from './messageRows.ts';

function eventOf(row: ChatRow): EventDraft {
  const classified = classify(row, around(), privacy);
  if (classified.kind !== 'event') throw new Error(`it is ${classified.kind}`);
  return classified.event;
}

describe('the event of a reaction', () => {
  it('says who did what to which part of which message, and when', () => {
    expect(JSON.parse(JSON.stringify(eventOf(message(tapback(2000)))))).toEqual({
      event_id: expect.stringMatching(/^reaction:[\w-]{32}$/),
      event_type: 'reaction_added',
      details: {
        message_guid: 'T-1',
        part: 0,
        reaction: 'love',
        sender: ANNA,
        is_from_me: false,
        reaction_guid: 'M-7',
        at: '2026-06-01T12:00:00.000Z',
      },
    });
  });

  it.each([
    [2000, 'love'],
    [2001, 'like'],
    [2002, 'dislike'],
    [2003, 'laugh'],
    [2004, 'emphasize'],
    [2005, 'question'],
    [2006, 'emoji'],
    [2007, 'sticker'],
    [1000, 'sticker'],
    [4000, 'poll_vote'],
    [2008, 'unknown'],
  ])('of type %i is %s', (type, reaction) => {
    expect(eventOf(message(tapback(type))).details).toMatchObject({ reaction });
    if (type < 2000 || type > 2007) return;
    const removed = eventOf(message(tapback(type + 1000)));
    expect(removed).toMatchObject({ event_type: 'reaction_removed', details: { reaction } });
  });

  it('has the emoji of the column, or the one its words name where there is no column', () => {
    expect(eventOf(message(tapback(2006, { emoji: '🎉' }))).details).toMatchObject({ emoji: '🎉' });
    const worded = message({ ...said('Reacted 😂 to “hello”'), ...tapback(2006) });
    expect(eventOf(worded).details).toMatchObject({ emoji: '😂' });
  });

  it('belongs to the whole balloon without a part', () => {
    expect(eventOf(message(tapback(2000, { part: undefined }))).details.part).toBeUndefined();
  });

  it('names oneself as me, whoever the other party is', () => {
    const own = eventOf(message({ ...tapback(2000), isFromMe: true }));
    expect(own.details).toMatchObject({ sender: 'me', is_from_me: true });
  });

  it('brings the picture of a sticker', () => {
    const sticker = attachment({ guid: 'at_0', isSticker: true, transferState: 'pending' });
    const row = message({ ...said('\ufffc'), ...tapback(1000), attachments: [sticker] });
    expect(eventOf(row).details.attachments).toEqual([
      { guid: 'at_0', name: 'a.jpg', mime_type: 'image/jpeg', size_bytes: 7, pending: true },
    ]);
  });

  it('has the same id when the row comes again under another ROWID and guid, and no other time', () => {
    const first = message(tapback(2000));
    const { event_id } = eventOf(first);
    expect(eventOf({ ...first, rowid: 99, guid: 'M-99' }).event_id).toBe(event_id);
    const others = [
      { ...first, handle: BERT },
      { ...first, rawDate: '802008000000000001' },
      { ...first, ...tapback(2001) },
      { ...first, ...tapback(3000) },
      { ...first, ...tapback(2000, { part: 1 }) },
      { ...first, ...tapback(2000, { targetGuid: 'T-2' }) },
      { ...first, ...tapback(2006, { emoji: '🎉' }) },
      { ...first, ...tapback(2006, { emoji: '😂' }) },
      { ...first, isFromMe: true },
    ].map((row) => eventOf(row).event_id);
    expect(new Set([event_id, ...others]).size).toBe(others.length + 1);
  });
});

const inGroup = (change: Partial<ChatRow>) => message({ ...NO_WORDS, chat: GROUP, ...change });
const CHANGES: [title: string, row: ChatRow, details: Record<string, unknown>][] = [
  [
    'somebody added',
    inGroup(action(1, 0, { otherHandle: BERT })),
    { change: 'member_added', actor: ANNA, member: BERT },
  ],
  ['somebody removed', inGroup(action(1, 1, { otherHandle: BERT })), { change: 'member_removed', member: BERT }],
  [
    'a member who removed herself',
    inGroup(action(1, 1, { otherHandle: ANNA })),
    { change: 'member_left', member: ANNA },
  ],
  ['another number', inGroup(action(1, 0, { otherHandle: ANNA })), { change: 'number_changed', member: ANNA }],
  ['somebody who came in', inGroup(action(1)), { change: 'member_joined', member: ANNA }],
  ['a new name', inGroup(action(2, 0, { title: 'Lunch' })), { change: 'renamed', name: 'Lunch', actor: ANNA }],
  ['a name taken away', inGroup(action(2)), { change: 'renamed', name: '' }],
  ['a member who left', inGroup(action(3)), { change: 'member_left', member: ANNA, actor: ANNA }],
  [
    'oneself who left',
    inGroup({ ...action(3), handle: undefined }),
    { change: 'member_left', member: 'me', actor: 'me' },
  ],
  ['a photo', inGroup(action(3, 1)), { change: 'photo_changed' }],
  ['the photo taken away', inGroup(action(3, 2)), { change: 'photo_removed' }],
  ['a background', inGroup(action(3, 4)), { change: 'background_changed' }],
  ['the background taken away', inGroup(action(3, 6)), { change: 'background_removed' }],
  ['a location shared', message(action(4)), { change: 'location_sharing_started', is_group: false }],
  ['a location no longer shared', message(action(4, 0, { shareStatus: 1 })), { change: 'location_sharing_stopped' }],
  ['audio kept', message(action(5)), { change: 'audio_kept' }],
  ['SharePlay', message(action(6)), { change: 'shareplay' }],
  ['something newer', inGroup(action(9, 3)), { change: 'unknown', item_type: 9, action_type: 3 }],
  ['something newer about the picture', inGroup(action(3, 7)), { change: 'unknown', item_type: 3, action_type: 7 }],
  ['something newer about members', inGroup(action(1, 2)), { change: 'unknown', item_type: 1, action_type: 2 }],
];

const MISSING: [title: string, row: ChatRow, details: Record<string, unknown>][] = [
  ['who was added', inGroup(action(1, 0, { otherHandle: undefined })), { change: 'unknown', item_type: 1 }],
  ['added or removed', inGroup(action(1, 0, { actionType: undefined, otherHandle: BERT })), { change: 'unknown' }],
  ['left or a photo', inGroup(action(3, 0, { actionType: undefined })), { change: 'unknown', item_type: 3 }],
  ['shared or no longer', message(action(4, 0, { shareStatus: undefined })), { change: 'unknown', item_type: 4 }],
  ['the new name', inGroup(action(2, 0, { title: undefined })), { change: 'renamed', name: undefined }],
];

describe('the event of a change where a column is missing', () => {
  it.each(MISSING)('does not guess: %s', (_title, row, details) => {
    expect(eventOf(row)).toMatchObject({ event_type: 'group_changed', details });
  });
});

describe('the event of a change', () => {
  it.each(CHANGES)('%s', (_title, row, details) => {
    expect(eventOf(row)).toMatchObject({ event_type: 'group_changed', details });
  });

  it('says where and when it happened', () => {
    expect(JSON.parse(JSON.stringify(eventOf(inGroup(action(2, 0, { title: 'Lunch' })))))).toEqual({
      event_id: expect.stringMatching(/^group:[\w-]{32}$/),
      event_type: 'group_changed',
      details: {
        change: 'renamed',
        actor: ANNA,
        name: 'Lunch',
        is_group: true,
        is_from_me: false,
        row_guid: 'M-7',
        at: '2026-06-01T12:00:00.000Z',
      },
    });
  });

  it('takes who has no handle, and who is marked as oneself, for oneself', () => {
    const mine = { actor: 'me', is_from_me: true };
    expect(eventOf(inGroup({ ...action(3, 1), handle: undefined })).details).toMatchObject(mine);
    // In a conversation of two the handle of an own row is the other party.
    expect(eventOf(message({ ...action(4), isFromMe: true })).details).toMatchObject(mine);
  });

  it('keeps of a name what the privacy settings keep of a text', () => {
    const row = inGroup(action(2, 0, { title: `pay ${CARD}` }));
    expect(eventOf(row).details.name).toBe('pay [redacted:payment_card]');
  });

  it('has the same id when the row comes again', () => {
    const row = inGroup(action(1, 0, { otherHandle: BERT }));
    expect(eventOf({ ...row, rowid: 99, guid: 'M-99' }).event_id).toBe(eventOf(row).event_id);
    expect(eventOf({ ...row, rawDate: '1' }).event_id).not.toBe(eventOf(row).event_id);
    expect(eventOf(inGroup(action(3))).event_id).not.toBe(eventOf(inGroup(action(3, 1))).event_id);
  });
});

describe('a group that is new', () => {
  it('is told with its first row, once', () => {
    const created = groupCreated(message({ chat: GROUP }), around());
    expect(created).toMatchObject({
      event_type: 'group_changed',
      details: { change: 'created', actor: ANNA, is_group: true, is_from_me: false, row_guid: 'M-7' },
    });
    const again = groupCreated(
      message({ chat: { ...GROUP, guid: 'any;+;chat831' }, guid: 'M-9', rawDate: '9' }),
      around(),
    );
    expect(again?.event_id).toBe(created?.event_id);
  });

  it('is not told for a later row, nor for a conversation of two', () => {
    expect(groupCreated(message({ chat: GROUP }), { isFirstOfChat: () => false })).toBeUndefined();
    expect(groupCreated(message(), around())).toBeUndefined();
    expect(groupCreated(message({ chat: undefined }), around())).toBeUndefined();
  });
});
