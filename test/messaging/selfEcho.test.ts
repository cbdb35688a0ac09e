import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { findSelfEcho } from '../../src/messaging/selfEcho.ts';
import type { SendState } from '../../src/state/SendRow.ts';
import { Sends } from '../../src/state/Sends.ts';
import { openStore } from '../relay/fakes.ts';
import { chatRow } from '../support/chatRow.ts';
import { FakeClock } from '../support/FakeClock.ts';

const ME = '+15550100001';
const ANNA = '+15550100002';

function setUp() {
  const clock = new FakeClock();
  const { store } = openStore(clock);
  let ids = 0;
  /** A bubble that was handed to Messages. */
  const sent = (text: string, o: { state?: SendState; threadId?: string } = {}) => {
    const { state = 'confirmed', threadId = ME } = o;
    const { sendId } = store.sends.insert({ key: `k${++ids}`, threadId, text, bubbleType: 'normal', now: clock.now() });
    if (state === 'queued') return sendId;
    store.sends.markSending(sendId, { rowid: 0, epoch: 1 }, clock.now());
    if (state === 'accepted') store.sends.markAccepted(sendId, clock.now());
    if (state === 'confirmed' || state === 'delivered') {
      store.sends.markConfirmed(sendId, { guid: `receipt-${sendId}`, rowid: sendId }, clock.now());
    }
    if (state === 'delivered') store.sends.markDelivered(sendId, clock.now());
    if (state === 'failed' || state === 'unknown') store.sends.finish(sendId, state, clock.now(), 'EDGE_SEND_REFUSED');
    return sendId;
  };
  /** What the relay does with an inbound row: the bubble it gives back, marked as given back. */
  const arrives = (text: string, change: Partial<ChatRow> = {}, threadId = ME) => {
    const rowid = ++ids;
    const row = chatRow({ rowid, guid: `in-${rowid}`, handle: ME, ownAddresses: [ME], text, ...change });
    return store.transaction(() => {
      const echo = findSelfEcho(store, row, threadId, clock.now());
      if (echo) store.sends.markEcho(echo.sendId, row.guid);
      return echo?.sendId;
    });
  };
  return { clock, store, sent, arrives };
}

describe('in a conversation with oneself', () => {
  it.each(['sending', 'accepted', 'confirmed', 'delivered'] as const)(
    'a bubble that is %s comes back as its echo',
    (state) => {
      const { sent, arrives, store } = setUp();
      const sendId = sent('hello', { state });
      expect(arrives('hello')).toBe(sendId);
      expect(store.sends.byId(sendId)?.echoGuid).toBe('in-2');
    },
  );

  it.each(['queued', 'failed', 'unknown'] as const)('a bubble that is %s has no echo', (state) => {
    const { sent, arrives } = setUp();
    sent('hello', { state });
    expect(arrives('hello')).toBeUndefined();
  });

  it('each bubble takes back one row, the oldest first; what comes once more was written by somebody', () => {
    const { sent, arrives } = setUp();
    const [first, second] = [sent('ok'), sent('ok')];
    expect([arrives('ok'), arrives('ok'), arrives('ok')]).toEqual([first, second, undefined]);
  });

  it('words that differ are a message', () => {
    const { sent, arrives } = setUp();
    sent('hello');
    expect(arrives('hello!')).toBeUndefined();
    expect(arrives('')).toBeUndefined();
  });

  it('quotes, white space and placeholders that Messages changes make no difference', () => {
    const { sent, arrives } = setUp();
    const sendId = sent('it\'s "fine"  here');
    expect(arrives('\ufffcit’s “fine” here')).toBe(sendId);
  });

  it('the echo may come ten minutes later and no more', () => {
    const { sent, arrives, clock } = setUp();
    const [first] = [sent('a'), sent('b')];
    clock.jumpWall(600_000);
    expect(arrives('a')).toBe(first);
    clock.jumpWall(1);
    expect(arrives('b')).toBeUndefined();
  });

  it('the echo may come hours later where it is dated of then, as on a Mac that slept or was offline', () => {
    const { sent, arrives, clock } = setUp();
    const sentAt = clock.now();
    const sendId = sent('hello');
    clock.jumpWall(5 * 3_600_000);
    expect(arrives('hello', { dateAt: clock.now() })).toBeUndefined();
    expect(arrives('hello', { dateAt: sentAt + 1_000 })).toBe(sendId);
  });

  it('what somebody wrote hours before a bubble is no echo of it, though it comes after it', () => {
    const { sent, arrives, clock } = setUp();
    const writtenAt = clock.now();
    clock.jumpWall(5 * 3_600_000);
    sent('hello');
    expect(arrives('hello', { dateAt: writtenAt })).toBeUndefined();
  });

  it('a bubble that waited for hours before it was sent has its echo', () => {
    const { store, arrives, clock } = setUp();
    const send = store.sends.insert({ key: 'k', threadId: ME, text: 'late', bubbleType: 'normal', now: clock.now() });
    clock.jumpWall(5 * 3_600_000);
    store.sends.markSending(send.sendId, { rowid: 0, epoch: 1 }, clock.now());
    expect(arrives('late')).toBe(send.sendId);
  });

  it('is known by the chat or the handle, in whatever form the own address is written', () => {
    const { sent, arrives } = setUp();
    const chat = { guid: `any;-;${ME}`, identifier: ME, isGroup: false, service: 'iMessage', participants: [ME] };
    const [first, second] = [sent('a'), sent('b')];
    expect(arrives('a', { handle: undefined, chat })).toBe(first);
    expect(arrives('b', { ownAddresses: ['5550100001', 'me@example.com'] })).toBe(second);
  });
});

describe('elsewhere', () => {
  it('the same words from another person are a message', () => {
    const { sent, arrives } = setUp();
    sent('hello', { threadId: ANNA });
    expect(arrives('hello', { handle: ANNA }, ANNA)).toBeUndefined();
  });

  it('a group is no conversation with oneself', () => {
    const { sent, arrives } = setUp();
    const chat = { guid: 'any;+;chat1', identifier: 'chat1', isGroup: true, service: 'iMessage', participants: [ME] };
    sent('hello', { threadId: 'chat1' });
    expect(arrives('hello', { chat }, 'chat1')).toBeUndefined();
  });

  it('a row of our own is no echo, nor is one that names no own address', () => {
    const { sent, arrives } = setUp();
    sent('hello');
    expect(arrives('hello', { isFromMe: true })).toBeUndefined();
    expect(arrives('hello', { ownAddresses: [] })).toBeUndefined();
  });
});

describe('looking for echoes and counting answers', () => {
  it('reads no table from end to end', () => {
    const { path } = openStore(new FakeClock());
    const db = new Database(path);
    onTestFinished(() => {
      db.close();
    });
    const asked: string[] = [];
    const prepare = (sql: string) => {
      asked.push(sql);
      return db.prepare(sql);
    };
    const sends = new Sends({ prepare } as unknown as Database.Database);
    sends.withoutEcho(ANNA, { since: 0, until: 0 });
    sends.automaticAnswers(ANNA, { since: 0, now: 0 });
    expect(asked).toHaveLength(2);
    for (const sql of asked) {
      const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array(sql.split('?').length - 1).fill(0));
      expect((plan as { detail: string }[]).map(({ detail }) => detail).join('\n')).not.toMatch(/^SCAN/m);
    }
  });
});
