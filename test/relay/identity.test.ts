import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { settle } from '../support/FakeClock.ts';
import { ANNA, BERT, FakeSource, row } from './fakes.ts';
import { setUp } from './intakeRig.ts';

const NANOSECONDS = '789012345678901234';
const WHOLE_SECOND = '789012345000000000';
const same = (rowid: number, change: Partial<ChatRow> = {}) =>
  row(rowid, { text: 'the same', rawDate: NANOSECONDS, ...change });

describe('a message inserted again', () => {
  it('under another ROWID is passed', async () => {
    const { put, source, cursor, store, told } = setUp();
    put(same(1));
    await settle();
    source.remove(1);
    put(same(5, { guid: 'guid-1' }));
    await settle();
    expect(cursor()).toBe(5);
    expect(store.inbound.counts().pending).toBe(1);
    expect(told('rowSkipped')).toEqual([]);
  });

  it('under another guid is done without a POST, and the reason kept', async () => {
    const { put, fate, told, clock, posts } = setUp();
    put(same(1));
    await clock.advance(1_000);
    const before = posts();
    put(same(2));
    await settle();
    expect(fate('guid-2')).toBe('duplicate');
    expect(told('rowSkipped')).toEqual([[{ guid: 'guid-2', threadId: ANNA, reason: 'duplicate' }]]);
    expect(posts()).toBe(before);
  });

  it('under another guid in the same batch is done too', async () => {
    const { put, fate } = setUp();
    put(same(1), same(2));
    await settle();
    expect([fate('guid-1'), fate('guid-2')]).toEqual(['live', 'duplicate']);
  });

  it('is known by the guid of a message that was set aside or handed over', async () => {
    const { put, fate, store, clock } = setUp();
    put(same(1));
    await settle();
    store.inbound.markDone('guid-1', clock.now());
    put(same(2));
    await settle();
    expect(fate('guid-2')).toBe('duplicate');
  });

  it('is not what somebody else wrote, or wrote at another time', async () => {
    const { put, fate } = setUp();
    put(same(1), same(2, { handle: BERT }), same(3, { rawDate: '789012345678901235' }), same(4, { text: 'another' }));
    await settle();
    expect([1, 2, 3, 4].map((rowid) => fate(`guid-${rowid}`))).toEqual(['live', 'live', 'live', 'live']);
  });

  it('is known across a restart, while it is parked for company too', async () => {
    const { put, fate, clock, crash } = setUp();
    put(row(1));
    await clock.advance(600_000);
    put(same(2, { dateAt: clock.now() - 1_800_000 }));
    expect(fate('guid-2')).toBe('parked');
    crash();
    put(same(3, { dateAt: clock.now() - 1_800_000 }));
    await clock.advance(2_500);
    expect([fate('guid-2'), fate('guid-3')]).toEqual(['live', 'duplicate']);
  });

  it('is known when it was incomplete first', async () => {
    const { put, fate, source, clock } = setUp();
    put(same(1), same(2, { text: '' }));
    await clock.advance(300);
    source.replace(2, { text: 'the same' });
    await clock.advance(1_000);
    expect(fate('guid-2')).toBe('duplicate');
  });

  it('in another chat.db is known, though nothing in it has its old guid', async () => {
    const { put, make, intake, fate, source } = setUp();
    put(same(1), row(2));
    await settle();
    intake.stop();
    source.rows = [same(1, { guid: 'rebuilt-1' }), row(2, { guid: 'rebuilt-2', rawDate: '2' }), row(3)];
    const next = make();
    next.opened(source, { dev: '1', ino: '200' });
    await settle();
    expect(next.epoch).toBe(2);
    expect([fate('rebuilt-1'), fate('guid-3')]).toEqual(['duplicate', 'live']);
  });

  it('in another chat.db is passed when retention has deleted what it was known by, and what is newer is taken in', async () => {
    const DAY_MS = 86_400_000;
    const { clock, put, intake, fate, source, store } = setUp();
    put(row(1, { dateAt: clock.now() + 1_000 }), row(2, { dateAt: clock.now() + 2_000 }));
    await clock.advance(3_000);
    for (const guid of ['guid-1', 'guid-2']) store.inbound.markDone(guid, clock.now());
    clock.jumpWall(100 * DAY_MS);
    while (store.prune(clock.now()) > 0);
    const missed = row(3, { dateAt: clock.now() - 99 * DAY_MS });
    source.rows = [...source.rows, missed, row(4, { dateAt: clock.now() })].map((one) => ({
      ...one,
      rowid: one.rowid + 7,
    }));
    intake.opened(source, { dev: '1', ino: '999' });
    await clock.advance(10_000);
    const fates = ['guid-1', 'guid-2', 'guid-3', 'guid-4'].map((guid) => fate(guid));
    expect(fates).toEqual([undefined, undefined, 'backfill', 'live']);
  });
});

describe('a message dated to the second, as SMS are', () => {
  for (const rawDate of [WHOLE_SECOND, '789012345']) {
    it(`may be the second of two equal ones (${rawDate.length} digits) until two minutes have passed`, async () => {
      const { put, fate, clock } = setUp();
      const equal = (rowid: number) => same(rowid, { rawDate });
      put(equal(1), equal(2));
      await clock.advance(119_000);
      put(equal(3));
      await settle();
      expect([1, 2, 3].map((rowid) => fate(`guid-${rowid}`))).toEqual(['live', 'live', 'live']);
      await clock.advance(1_000);
      put(equal(4));
      await settle();
      expect(fate('guid-4')).toBe('duplicate');
      clock.jumpWall(-86_400_000);
      put(equal(5));
      await settle();
      expect(fate('guid-5')).toBe('duplicate');
    });
  }
});

describe('ROWIDs', () => {
  it('may have gaps', async () => {
    const { put, fate, cursor } = setUp();
    put(row(1), row(9), row(100_000));
    await settle();
    expect([fate('guid-1'), fate('guid-9'), fate('guid-100000')]).toEqual(['live', 'live', 'live']);
    expect(cursor()).toBe(100_000);
  });

  it('are read on until a page is empty, though pages are short', async () => {
    const source = new FakeSource();
    const { rowsAfter } = FakeSource.prototype;
    source.rowsAfter = (rowid) => rowsAfter.call(source, rowid, 2);
    const { intake, cursor } = setUp({ source });
    for (let n = 1; n <= 9; n++) source.add(row(n));
    intake.changed(source);
    await settle();
    await settle();
    expect(cursor()).toBe(9);
  });

  it('of a first pass over another file are read on likewise', async () => {
    const { put, make, intake, source, fate } = setUp();
    put(row(1));
    await settle();
    intake.stop();
    source.rows = Array.from({ length: 9 }, (_, n) => row(n + 1, { guid: `new-${n + 1}` }));
    const { rowsSince } = FakeSource.prototype;
    source.rowsSince = (dateAt, after) => rowsSince.call(source, dateAt, after, 2);
    make().opened(source, { dev: '1', ino: '200' });
    await settle();
    await settle();
    expect(fate('new-9')).toBe('live');
  });
});
