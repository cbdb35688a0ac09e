import { describe, expect, it } from 'vitest';
import { attachment } from '../support/chatRow.ts';
import { settle } from '../support/FakeClock.ts';
import { ANNA, BERT, chat, FakeSource, row } from './fakes.ts';
import { setUp } from './intakeRig.ts';

const LOVED = { type: 2000, targetGuid: 'guid-1', part: 0, emoji: undefined };
const coming = [attachment({ guid: 'at_0', transferState: 'pending' })];

describe('a row that is no message', () => {
  it('is told as an event, once, and is no inbound row', async () => {
    const { put, fate, told, posts, crash } = setUp();
    put(row(1, { association: LOVED }));
    await settle();
    crash();
    await settle();
    expect(fate('guid-1')).toBeUndefined();
    expect(posts()).toBe(0);
    expect(told('eventNoted')).toMatchObject([[{ detail: expect.stringMatching(/^love, reaction:/) }]]);
  });

  it('of a thread that is kept private is not told', async () => {
    const { put, store } = setUp({ denyThreads: [ANNA] });
    put(row(1, { association: LOVED }), row(2, { handle: BERT, association: LOVED }));
    await settle();
    expect(store.events.waiting(9).map(({ thread_id }) => thread_id)).toEqual([BERT]);
  });

  it('and is old news is told as backfill', async () => {
    const { put, store, clock } = setUp();
    put(row(1, { association: LOVED, dateAt: clock.now() - 3_601_000 }), row(2, { association: LOVED }));
    await settle();
    expect(store.events.waiting(9).map(({ details }) => details.backfill)).toEqual([true, undefined]);
  });

  it('and turns out so in the park frees its thread', async () => {
    const { put, fate, source, clock, posts } = setUp();
    put(row(1, { text: '' }));
    await clock.advance(300);
    const before = posts();
    source.replace(1, { association: LOVED });
    await clock.advance(500);
    expect(fate('guid-1')).toBe('event');
    expect(posts()).toBeGreaterThan(before);
  });
});

describe('a message that is not handed over', () => {
  it('is done with its reason, and its guid is known', async () => {
    const { put, store, fate, told, posts } = setUp();
    put(row(1, { isEmpty: true, text: '', editedAt: 1 }));
    await settle();
    expect(fate('guid-1')).toBe('unsent');
    expect(store.inbound.byGuid('guid-1')).toMatchObject({ body: null, doneAt: expect.any(Number) });
    expect(told('rowSkipped')).toHaveLength(1);
    expect(posts()).toBe(0);
  });

  it('and is told of as filtered says only why', async () => {
    const { put, store, fate, told, eventTellings } = setUp({ denyThreads: [ANNA] });
    put(row(1, { text: 'private' }));
    await settle();
    expect(told('rowSkipped')).toMatchObject([[{ guid: 'guid-1', reason: 'filtered, thread_denied' }]]);
    expect(eventTellings()).toBe(1);
    expect(fate('guid-1')).toBe('filtered');
    expect(store.events.waiting(9)).toMatchObject([
      { event_type: 'message_filtered', details: { message_guid: 'guid-1', reason: 'thread_denied' } },
    ]);
  });
});

describe('the first row of a group', () => {
  const inGroup = (rowid: number, change = {}) => row(rowid, { chat: chat('chat831', true), ...change });

  it('tells of the group once, whoever wrote it', async () => {
    const { put, store } = setUp();
    put(inGroup(1, { isFromMe: true }), inGroup(2), inGroup(3));
    await settle();
    const created = store.events.waiting(9).filter(({ details }) => details.change === 'created');
    expect(created).toHaveLength(1);
  });

  it('is told of with its first row also when that is whole after the second', async () => {
    const { put, source, store, clock } = setUp();
    put(row(1, { chat: undefined, text: '' }));
    await clock.advance(300);
    source.replace(1, { chat: chat('chat831', true) });
    put(inGroup(2));
    await clock.advance(300);
    source.replace(1, { text: 'hi all' });
    await clock.advance(1_000);
    const created = store.events.waiting(9).filter(({ details }) => details.change === 'created');
    expect(created).toMatchObject([{ details: { row_guid: 'guid-1' } }]);
  });

  it('is not seen in a group that has earlier messages, which is asked once', async () => {
    const source = new FakeSource();
    let asked = 0;
    source.isFirstOfChat = () => {
      asked++;
      return false;
    };
    const { put, store } = setUp({ source });
    put(inGroup(1), inGroup(2), inGroup(3));
    await settle();
    expect(store.events.waiting(9)).toEqual([]);
    expect(asked).toBe(1);
  });
});

describe('a message whose attachment is still downloaded', () => {
  it('is parked at once, and rows of other threads go on', async () => {
    const { put, fate, cursor } = setUp();
    put(row(1, { attachments: coming }), row(2, { handle: BERT }));
    await settle();
    expect([fate('guid-1'), fate('guid-2')]).toEqual(['parked', 'live']);
    expect(cursor()).toBe(2);
  });

  it('goes as soon as the file is there', async () => {
    const { put, fate, source, body, clock } = setUp();
    put(row(1, { attachments: coming }));
    await clock.advance(12_000);
    expect(fate('guid-1')).toBe('parked');
    source.replace(1, { attachments: [attachment({ guid: 'at_0' })] });
    await clock.advance(500);
    expect(fate('guid-1')).toBe('live');
    expect(body(1).attachments[0].pending).toBeUndefined();
  });

  it('goes without it when the wait is over, marked, and that is no failure', async () => {
    const { put, fate, body, clock, told } = setUp();
    put(row(1, { attachments: coming }));
    await clock.advance(14_500);
    expect(fate('guid-1')).toBe('parked');
    await clock.advance(1_000);
    expect(fate('guid-1')).toBe('live');
    expect(body(1).attachments[0].pending).toBe(true);
    expect(told('failure')).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('does not wait where the setting is 0', async () => {
    const { put, fate, clock } = setUp({ attachmentWaitSeconds: 0 });
    put(row(1, { attachments: coming }));
    await clock.advance(500);
    expect(fate('guid-1')).toBe('live');
  });

  it('is one of hundreds, which are all looked at', async () => {
    const { source, intake, fate, clock } = setUp();
    const rows = Array.from({ length: 450 }, (_, n) =>
      row(n + 1, { attachments: coming, handle: `p${n}@example.com` }),
    );
    intake.changed(source.add(...rows));
    await settle();
    source.replace(450, { attachments: [attachment({ guid: 'at_0' })] });
    await clock.advance(1_000);
    expect([fate('guid-449'), fate('guid-450')]).toEqual(['parked', 'live']);
    await clock.advance(16_000);
    expect(rows.map(({ guid }) => fate(guid))).toEqual(rows.map(() => 'live'));
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });
});

describe('a message that was queued', () => {
  it('is told of as chat.db had it, after it was written', async () => {
    const { put, admitted } = setUp({ denyThreads: [BERT] });
    put(row(1), row(2, { handle: BERT }));
    await settle();
    expect(admitted).toEqual(['guid-1']);
  });
});
