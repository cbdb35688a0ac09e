import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { BATCH_ROWS } from '../../src/relay/Intake.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { FakeClock, settle } from '../support/FakeClock.ts';
import { ANNA, BERT, chat, FakeSource, row } from './fakes.ts';
import { FILE, setUp } from './intakeRig.ts';

const DAY = 86_400_000;
const RENAMED = { itemType: 2, actionType: 0, title: 'us', otherHandle: '', shareStatus: 0 };
const LOVED = { type: 2000, targetGuid: 'guid-1', part: 0, emoji: undefined };

const bare = (rowid: number) => row(rowid, { chat: undefined });

describe('the first start', () => {
  const start = new FakeClock().now();
  const history = [row(1, { dateAt: start - 1_000 }), row(2, { dateAt: start - 1 })];

  it('takes in what came while it was under way, or while chat.db could not be read', async () => {
    const ahead = { dateAt: start + 2 * DAY };
    const undated = { dateAt: undefined };
    const source = new FakeSource().add(...history, row(3), row(4, ahead), row(5, undated), row(6));
    const { state, cursor, put } = setUp({ source });
    await settle();
    expect(cursor()).toBe(6);
    expect([1, 2, 3, 4, 5, 6].map(state)).toEqual([undefined, undefined, 'pending', undefined, undefined, 'pending']);
    put(row(7, ahead));
    expect(state(7)).toBe('pending');
  });

  it('begins after what is there already', async () => {
    const { put, state, cursor, told } = setUp({ source: new FakeSource().add(...history) });
    expect(told('chatdbOpened')).toEqual([[{ path: '/chat.db', epoch: 1, rowid: 2, isNew: true }]]);
    put(row(3));
    expect([1, 2, 3].map(state)).toEqual([undefined, undefined, 'pending']);
    expect(cursor()).toBe(3);
  });

  it('begins at the first row of an empty chat.db', () => {
    const { put, state } = setUp();
    put(row(1));
    expect(state(1)).toBe('pending');
  });
});

describe('rows past the cursor', () => {
  it('are taken at once when they are whole, and told once', () => {
    const { put, posts, told } = setUp();
    put(row(1), row(2));
    expect(posts()).toBe(1);
    expect(told('messageReceived')).toHaveLength(2);
  });

  it('that are our own or no messages are passed', () => {
    const { put, cursor, store, posts } = setUp();
    put(row(1, { isFromMe: true }), row(2, { action: RENAMED }), row(3, { association: LOVED }));
    expect(cursor()).toBe(3);
    expect(store.inbound.counts()).toMatchObject({ parked: 0, pending: 0, dead: 0 });
    expect(posts()).toBe(0);
  });

  it('are taken in batches, with the event loop free between them, until there are none', async () => {
    const { source, intake, cursor } = setUp();
    for (let n = 1; n <= BATCH_ROWS * 3 + 10; n++) source.add(row(n));
    intake.changed(source);
    expect(cursor()).toBe(BATCH_ROWS);
    await settle();
    expect(cursor()).toBe(BATCH_ROWS * 3 + 10);
  });

  it('are marked as old news when they were written too long ago to be answered', async () => {
    const { put, store, body, clock } = setUp();
    await clock.advance(3_600_000);
    put(row(1, { dateAt: clock.now() - 3_601_000 }), row(2, { dateAt: clock.now() - 3_600_000 }));
    await clock.advance(2_000);
    expect(body(1).backfill).toBe(true);
    expect(body(2).backfill).toBeUndefined();
    expect(store.inbound.byGuid('guid-1')?.backfill).toBe(1);
  });

  it('of a denied thread are done without a POST, and reported without their text', () => {
    const { put, state, store } = setUp({ denyThreads: [ANNA] });
    put(row(1, { text: 'private' }));
    expect(state(1)).toBe('done');
    expect(store.inbound.byGuid('guid-1')?.body).toBeNull();
    const events = store.events.waiting(10);
    expect(events).toMatchObject([{ event_type: 'message_filtered', details: { reason: 'thread_denied' } }]);
    expect(JSON.stringify(events)).not.toContain('private');
  });

  it('never make a date far ahead the newest', () => {
    const { put, store, clock } = setUp();
    put(row(1, { dateAt: clock.now() + 2 * DAY }), row(2), row(3, { dateAt: clock.now() - DAY }));
    expect(store.epochs.latest()?.newestMessageAt).toBe(clock.now());
  });

  it('stay where they are while state.db takes nothing', async () => {
    const { put, state, store, cursor, clock } = setUp();
    const { insert } = store.inbound;
    store.inbound.insert = () => {
      throw new EdgeError('EDGE_STATE_FULL', 'database or disk is full');
    };
    put(row(1));
    expect(cursor()).toBe(0);
    store.inbound.insert = insert;
    await clock.advance(1_000);
    expect(state(1)).toBe('pending');
  });

  it('that cannot be read are the trouble of whoever told of them, and are taken when told of again', () => {
    const { source, intake, state, readFailures } = setUp();
    const read = source.rowsAfter;
    source.rowsAfter = () => {
      throw new EdgeError('EDGE_CHATDB_CORRUPT', 'a damaged page');
    };
    expect(() => intake.changed(source.add(row(1)))).toThrow('a damaged page');
    expect(readFailures).toEqual([]);
    source.rowsAfter = read;
    intake.changed(source);
    expect(state(1)).toBe('pending');
  });

  it('that cannot be read at a moment of its own choice are reported', async () => {
    const { source, put, state, clock, readFailures } = setUp();
    const read = source.rowsAfter;
    put(bare(1));
    source.rowsAfter = () => {
      throw new EdgeError('EDGE_CHATDB_CORRUPT', 'a damaged page');
    };
    await clock.advance(1_000);
    expect(readFailures).toEqual(['EDGE_CHATDB_CORRUPT']);
    source.rowsAfter = read;
    source.replace(1, { chat: chat(ANNA) });
    put();
    expect(state(1)).toBe('pending');
  });
});

describe('a row that Messages has not finished', () => {
  it('is waited for, so that the one behind it comes after it', async () => {
    const { put, source, state, cursor, clock, store } = setUp();
    put(bare(1), row(2));
    await clock.advance(100);
    expect(cursor()).toBe(0);
    source.replace(1, { chat: chat(ANNA) });
    await clock.advance(50);
    expect([1, 2].map(state)).toEqual(['pending', 'pending']);
    expect(store.inbound.openOf(ANNA, 0, 9).map(({ guid }) => guid)).toEqual(['guid-1', 'guid-2']);
  });

  it('is looked at again after 2, 10 and 50 ms', async () => {
    const { put, source, clock } = setUp();
    put(bare(1));
    const readsAfter = async (ms: number) => {
      await clock.advance(ms);
      return source.reads;
    };
    const first = source.reads;
    expect(await readsAfter(2)).toBe(first + 1);
    expect(await readsAfter(8)).toBe(first + 2);
    expect(await readsAfter(40)).toBe(first + 3);
  });

  it('is parked and passed after 250 ms; rows of other threads go on', async () => {
    const { put, state, cursor, clock, told } = setUp();
    put(bare(1), row(2, { handle: BERT }));
    await clock.advance(300);
    expect([1, 2].map(state)).toEqual(['parked', 'pending']);
    expect(cursor()).toBe(2);
    expect(told('rowParked')).toEqual([['guid-1', 'chat']]);
  });

  it('without its chat is waited for by what its sender writes next', async () => {
    const { put, source, store, clock } = setUp();
    put(bare(1));
    await clock.advance(300);
    put(row(2));
    expect(store.inbound.openOf(ANNA, 0, 9).map(({ guid, state }) => [guid, state])).toEqual([
      ['guid-1', 'parked'],
      ['guid-2', 'pending'],
    ]);
    source.replace(1, { chat: chat('chat831', true) });
    await clock.advance(500);
    expect(store.inbound.openOf(ANNA, 0, 9).map(({ guid }) => guid)).toEqual(['guid-2']);
    expect(store.inbound.openOf('chat831', 0, 9).map(({ guid }) => guid)).toEqual(['guid-1']);
  });

  it('is taken from the park as soon as it is whole', async () => {
    const { put, state, source, clock, posts } = setUp();
    put(bare(1));
    await clock.advance(300);
    source.replace(1, { chat: chat('chat831', true) });
    await clock.advance(500);
    expect(state(1)).toBe('pending');
    expect(posts()).toBeGreaterThan(0);
  });

  it('is recognised as our own when it turns round in the park', async () => {
    const { put, state, source, clock } = setUp();
    put(row(1, { text: '' }));
    await clock.advance(300);
    source.replace(1, { isFromMe: true });
    await clock.advance(500);
    expect(state(1)).toBe('done');
  });

  const missing: { what: string; row: ChatRow; thread: string | null; text?: string }[] = [
    { what: 'its body', row: row(1, { text: '' }), thread: ANNA, text: '' },
    { what: 'its chat', row: bare(1), thread: ANNA, text: 'text 1' },
    { what: 'its attachments', row: row(1, { cacheHasAttachments: true }), thread: ANNA, text: 'text 1' },
    { what: 'its sender', row: row(1, { handle: undefined, chat: chat('chat8', true) }), thread: 'chat8' },
  ];
  for (const { what, row: incomplete, thread, text } of missing) {
    it(`is handed over without ${what} after ten seconds`, async () => {
      const { put, state, store, clock, body, told } = setUp();
      put(incomplete);
      await clock.advance(10_000);
      expect(state(1)).toBe('parked');
      await clock.advance(1_000);
      expect(state(1)).toBe('pending');
      expect(store.inbound.byGuid('guid-1')?.threadId).toBe(thread);
      if (text !== undefined) expect(body(1).filtered_text).toBe(text);
      expect(told('failure')).toHaveLength(1);
      expect(clock.pending).toBe(0);
    });
  }

  it('is set aside when it has neither a chat nor a handle', async () => {
    const { put, state, store, clock, told } = setUp();
    put(row(1, { chat: undefined, handle: undefined }));
    await clock.advance(11_000);
    expect(state(1)).toBe('dead');
    expect(store.inbound.byGuid('guid-1')?.errorCode).toBe('EDGE_ROW_INCOMPLETE');
    expect(told('messageSetAside')).toHaveLength(1);
  });

  it('is delivered from what was seen when chat.db loses it', async () => {
    const { put, body, source, clock } = setUp();
    put(bare(1));
    await clock.advance(300);
    source.remove(1);
    await clock.advance(10_500);
    expect(body(1)).toMatchObject({ thread_id: ANNA, filtered_text: 'text 1' });
  });

  it('is set aside when chat.db has lost it and the agent was restarted', async () => {
    const { put, state, source, clock, intake, make } = setUp();
    put(bare(1));
    await clock.advance(300);
    intake.stop();
    source.remove(1);
    make().opened(source, FILE);
    await clock.advance(10_500);
    expect(state(1)).toBe('dead');
  });

  it('is handed over at once and marked when its body cannot be decoded', () => {
    const { put, body, told } = setUp();
    put(row(1, { text: '', decodeError: 'depth' }));
    expect(body(1)).toMatchObject({ filtered_text: '', decode_error: 'depth' });
    expect(told('bodyUndecodable')).toHaveLength(1);
  });
});

describe('a row that reads like a bubble we are just sending', () => {
  const withSend = () => {
    const parts = setUp();
    const { store, clock } = parts;
    const send = store.sends.insert({
      key: 'command:c1',
      threadId: ANNA,
      text: 'hello',
      bubbleType: 'normal',
      now: clock.now(),
    });
    store.sends.markSending(send.sendId, { rowid: 0, epoch: 1 }, clock.now());
    parts.put(row(1, { text: 'hello' }));
    return { ...parts, send };
  };

  it('is our own when it turns round', async () => {
    const { source, clock, state, cursor } = withSend();
    source.replace(1, { isFromMe: true });
    await clock.advance(300);
    expect(state(1)).toBeUndefined();
    expect(cursor()).toBe(1);
  });

  it('is a message once the bubble is settled by another row', async () => {
    const { store, clock, state, send } = withSend();
    await clock.advance(1_000);
    expect(state(1)).toBe('parked');
    store.sends.markConfirmed(send.sendId, { guid: 'guid-9', rowid: 9 }, clock.now());
    await clock.advance(500);
    expect(state(1)).toBe('pending');
  });
});

describe('another chat.db', () => {
  const openedAgain = (change: (source: FakeSource) => void, identity = FILE) => {
    const parts = setUp();
    const { source, put, intake, make, clock } = parts;
    put(...Array.from({ length: 10 }, (_, n) => row(n + 1, { dateAt: clock.now() + n })));
    intake.stop();
    change(source);
    const next = make();
    next.opened(source, identity);
    return { ...parts, next };
  };
  const other = { dev: '1', ino: '200' };

  it('that is the same file goes on at the cursor', () => {
    const { next, cursor } = openedAgain(() => {});
    expect(next.epoch).toBe(1);
    expect(cursor()).toBe(10);
  });

  it('that has the known row at the cursor is the same one under another inode', () => {
    const { next, store } = openedAgain((source) => source.add(row(11)), other);
    expect(next.epoch).toBe(1);
    expect(store.epochs.latest()).toMatchObject({ ino: '200', cursorRowid: 11 });
  });

  it('is not seen in a deleted row at the cursor', () => {
    const { next, state } = openedAgain((source) => {
      source.remove(10);
      source.add(row(11));
    });
    expect(next.epoch).toBe(1);
    expect(state(11)).toBe('pending');
  });

  it('is seen when another row stands at the cursor; what is known is not taken again', async () => {
    const { next, store, cursor } = openedAgain((source) => {
      source.rows = source.rows.map((one) => ({ ...one, rowid: one.rowid + 5 }));
      source.add(row(16, { guid: 'fresh' }), row(17, { guid: 'ancient', dateAt: 1_000 }));
    }, other);
    await settle();
    expect(next.epoch).toBe(2);
    expect(store.inbound.byGuid('fresh')?.state).toBe('pending');
    expect(store.inbound.knows('ancient')).toBe(false);
    expect(store.inbound.counts().pending).toBe(11);
    expect(cursor()).toBe(17);
  });

  it('is seen when the last row lies before the cursor', async () => {
    const { next, store, cursor } = openedAgain((source) => {
      source.rows = source.rows.slice(0, 4);
      source.add(row(5, { guid: 'fresh' }));
    });
    await settle();
    expect(next.epoch).toBe(2);
    expect(store.inbound.byGuid('fresh')?.state).toBe('pending');
    expect(cursor()).toBe(5);
  });

  it("is seen in yesterday's copy, put back in place, before a new row hides below the cursor", () => {
    const { next, posts } = openedAgain((source) => {
      source.rows = source.rows.slice(0, 4);
    });
    expect(next.epoch).toBe(2);
    expect(posts()).toBe(1);
  });

  it('is seen in known rows that stand elsewhere though the one at the cursor is gone', () => {
    const { next } = openedAgain((source) => {
      source.rows = source.rows.map((one) => ({ ...one, rowid: one.rowid * 3 }));
    });
    expect(next.epoch).toBe(2);
  });

  it('does not make history from before the first start look new', async () => {
    const { next, store } = openedAgain((source) => {
      const before = row(1, { guid: 'before', dateAt: new FakeClock().now() - 1_000 });
      source.rows = [before, row(2, { guid: 'fresh' })];
    }, other);
    await settle();
    expect(next.epoch).toBe(2);
    expect(store.inbound.knows('before')).toBe(false);
    expect(store.inbound.knows('fresh')).toBe(true);
  });

  it('is passed over to its end when a restart interrupts the first pass', async () => {
    const { store, next, make, source, cursor } = openedAgain((source) => {
      source.rows = Array.from({ length: BATCH_ROWS * 2 }, (_, n) => row(n + 1, { guid: `new-${n}` }));
      source.add(row(BATCH_ROWS * 2 + 1, { guid: 'ancient', dateAt: 1_000 }));
    }, other);
    expect(cursor()).toBe(BATCH_ROWS);
    next.stop();
    const third = make();
    third.opened(source, other);
    await settle();
    expect(third.epoch).toBe(2);
    expect(cursor()).toBe(BATCH_ROWS * 2 + 1);
    expect(store.inbound.knows(`new-${BATCH_ROWS * 2 - 1}`)).toBe(true);
    expect(store.inbound.knows('ancient')).toBe(false);
  });

  it('in the midst of the pass over another is looked through from where that one was', async () => {
    const { next, store, clock, source, make } = openedAgain(() => {});
    next.stop();
    await clock.advance(5 * DAY);
    // iCloud fills a file that is made anew from the newest message on.
    const today = Array.from({ length: BATCH_ROWS }, (_, n) => row(n + 1, { guid: `new-${n}`, dateAt: clock.now() }));
    const missed = row(BATCH_ROWS + 1, { guid: 'missed', dateAt: clock.now() - 3 * DAY });
    source.rows = [...today, missed];
    const second = make();
    second.opened(source, other);
    source.rows = source.rows.map((one) => ({ ...one, rowid: one.rowid + 5 }));
    second.opened(source, { dev: '1', ino: '300' });
    await settle();
    expect(second.epoch).toBe(3);
    expect(store.inbound.knows('missed')).toBe(true);
  });

  it('does not have history answered that is dated in a time to come', async () => {
    const { next, fate } = openedAgain((source) => {
      const dateAt = new Date('2040-01-01T00:00:00Z').getTime();
      source.rows = [row(1, { guid: 'ahead', dateAt }), row(2, { guid: 'fresh' })];
    }, other);
    await settle();
    expect(next.epoch).toBe(2);
    expect(['fresh', 'ahead'].map(fate)).toEqual(['live', 'backfill']);
  });

  it('is seen while it stays open, by new rows that appear below the cursor', async () => {
    const { put, intake, source, store, clock } = setUp();
    put(row(1), row(2), row(3));
    source.remove(3);
    source.remove(2);
    intake.changed(source);
    expect(intake.epoch).toBe(1);
    intake.changed(source.add(row(2, { guid: 'fresh', dateAt: clock.now() })));
    await settle();
    expect(intake.epoch).toBe(2);
    expect(store.inbound.knows('fresh')).toBe(true);
  });

  it('is seen at once when a copy put back while it stays open has news already', async () => {
    const { put, intake, source, store, clock } = setUp();
    put(row(1), row(2), row(3));
    source.remove(3);
    source.remove(2);
    intake.changed(source.add(row(2, { guid: 'fresh', dateAt: clock.now() })));
    await settle();
    expect(intake.epoch).toBe(2);
    expect(store.inbound.knows('fresh')).toBe(true);
  });

  it('is not seen in a tail that was deleted while it stays open', async () => {
    const { put, intake, source, state } = setUp();
    put(row(1), row(2));
    await settle();
    source.remove(2);
    intake.changed(source);
    intake.changed(source.add(row(3)));
    expect(intake.epoch).toBe(1);
    expect(state(3)).toBe('pending');
  });
});
