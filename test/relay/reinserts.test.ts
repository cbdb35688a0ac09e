import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { settle } from '../support/FakeClock.ts';
import { summary } from './changeRig.ts';
import { ANNA, chat, row } from './fakes.ts';
import { setUp } from './intakeRig.ts';

const MINUTE = 60_000;
const same = (rowid: number, change: Partial<ChatRow> = {}) =>
  row(rowid, { text: 'the same', rawDate: '789012345678901234', ...change });
const UNSENT = { text: '', isEmpty: true, editedAt: 1, summary: summary({ unsentParts: [0] }) };

describe('a message inserted again under another guid', () => {
  it('that was refused is refused once', async () => {
    const { put, store, fate } = setUp({ denyThreads: [ANNA] });
    put(same(1), same(2));
    await settle();
    expect([fate('guid-1'), fate('guid-2')]).toEqual(['filtered', 'duplicate']);
    expect(store.events.waiting(9)).toHaveLength(1);
  });

  it('that gave one of two equal bubbles back does not stand for the other', async () => {
    const { put, store, clock, fate } = setUp();
    for (const n of [1, 2]) {
      const now = clock.now();
      const { sendId } = store.sends.insert({ key: `cli:${n}`, threadId: ANNA, text: 'ok', bubbleType: 'normal', now });
      store.sends.markSending(sendId, { rowid: 0, epoch: 1 }, now);
      store.sends.markConfirmed(sendId, { guid: `own-${n}`, rowid: n }, now);
    }
    const echo = (rowid: number, rawDate: string) => row(rowid, { text: 'ok', rawDate, ownAddresses: [ANNA] });
    put(echo(1, '789012345678900001'), echo(2, '789012345678900001'), echo(3, '789012345678900002'));
    await settle();
    expect([fate('guid-1'), fate('guid-2'), fate('guid-3')]).toEqual(['echo', 'duplicate', 'echo']);
  });

  it('is known when the first was given up in the park', async () => {
    const { put, source, clock, fate } = setUp({ denyThreads: [ANNA] });
    put(same(1, { text: '' }));
    await clock.advance(300);
    source.replace(1, { text: 'the same' });
    await clock.advance(1_000);
    put(same(2));
    await settle();
    expect([fate('guid-1'), fate('guid-2')]).toEqual(['filtered', 'duplicate']);
  });

  it('after it was unsent, whole or in part, is neither a message nor an event', async () => {
    const { put, store, fate } = setUp();
    put(same(1));
    await settle();
    put(same(2, UNSENT), same(3, { ...UNSENT, text: 'the', isEmpty: false }));
    await settle();
    expect([fate('guid-1'), fate('guid-2'), fate('guid-3')]).toEqual(['live', 'duplicate', 'duplicate']);
    expect(store.events.waiting(9)).toEqual([]);
  });

  it('with its words, of one that was unsent before it was read, gives nothing away', async () => {
    const { put, store, fate } = setUp();
    put(same(1, UNSENT), same(2));
    await settle();
    put(same(3), same(4, { rawDate: '789012345678901235' }));
    await settle();
    const fates = ['guid-1', 'guid-2', 'guid-3', 'guid-4'].map(fate);
    expect(fates).toEqual(['unsent', 'duplicate', 'duplicate', 'live']);
    expect(store.events.waiting(9)).toHaveLength(1);
  });

  it('while it was parked without its body is handed over once, whole', async () => {
    const { put, source, clock, fate } = setUp();
    put(same(1, { text: '' }));
    await clock.advance(300);
    source.remove(1);
    put(same(2));
    await clock.advance(11_000);
    expect([fate('guid-1'), fate('guid-2')]).toEqual(['duplicate', 'live']);
  });

  it('while it was parked and the agent down is handed over', async () => {
    const { put, source, clock, fate, crash } = setUp();
    await clock.advance(30 * MINUTE);
    put(row(1, { dateAt: clock.now() }));
    await clock.advance(2 * MINUTE);
    put(same(2, { dateAt: clock.now() - 29 * MINUTE }));
    expect(fate('guid-2')).toBe('parked');
    source.remove(2);
    source.add(same(3, { dateAt: clock.now() - 29 * MINUTE }));
    crash();
    await clock.advance(15_000);
    expect([fate('guid-2'), fate('guid-3')]).toContain('live');
    expect([fate('guid-2'), fate('guid-3')]).not.toEqual(['live', 'live']);
  });
});

describe('what refers to a message that was inserted again', () => {
  const LOVED = { type: 2000, targetGuid: 'guid-2', part: 0, emoji: undefined };

  it('names it as the backend knows it', async () => {
    const { put, store, body, clock } = setUp();
    put(same(1), same(2));
    store.inbound.markDone('guid-1', clock.now());
    put(row(3, { association: LOVED }), row(4, { replyToGuid: 'guid-2' }), row(5, { text: 'Loved “the same”' }));
    await settle();
    expect(store.events.waiting(9).map(({ details }) => details.message_guid)).toEqual(['guid-1', 'guid-1']);
    expect(body(4).reply_to_guid).toBe('guid-1');
  });

  it('is told once when it is inserted again as well', async () => {
    const { put, store, clock } = setUp();
    const loved = (rowid: number, targetGuid: string) =>
      row(rowid, { rawDate: '789012345678905678', association: { ...LOVED, targetGuid } });
    put(same(1), loved(2, 'guid-1'), same(3), loved(4, 'guid-3'));
    await settle();
    store.inbound.markDone('guid-1', clock.now());
    expect(store.events.waiting(9)).toHaveLength(1);
  });
});

describe('a parked row that chat.db has lost', () => {
  it('is waited for: the file may be away for a moment', async () => {
    const { put, source, clock, fate, crash } = setUp();
    put(same(1, { text: '' }));
    await clock.advance(300);
    const { rows } = source;
    source.rows = [];
    crash();
    await clock.advance(5_000);
    source.rows = rows;
    source.replace(1, { text: 'the same' });
    await clock.advance(1_000);
    expect(fate('guid-1')).toBe('live');
  });

  it('is looked for again when its dead letter is taken back', async () => {
    const rig = setUp();
    rig.put(same(1, { text: '' }));
    await rig.clock.advance(300);
    rig.source.rows = [];
    rig.crash();
    await rig.clock.advance(11_000);
    expect(rig.fate('guid-1')).toBe('dead');
    rig.source.add(same(1));
    rig.store.inbound.revive('guid-1');
    rig.current().retry();
    expect(rig.fate('guid-1')).toBe('live');
  });
});

describe('the event of a new group', () => {
  it('is told although state.db took nothing at first', async () => {
    const { put, store, clock } = setUp();
    const { insert } = store.inbound;
    store.inbound.insert = () => {
      throw new EdgeError('EDGE_STATE_FULL', 'database or disk is full');
    };
    put(row(1, { chat: chat('chat831', true) }));
    store.inbound.insert = insert;
    await clock.advance(1_000);
    expect(store.events.waiting(9).map(({ details }) => details.change)).toEqual(['created']);
  });
});

describe('a block from iCloud', () => {
  it('is told by the beginning of the agent before the first message came', async () => {
    const { put, clock, fate } = setUp();
    const block = [40, 39, 38].map((age, n) => row(n + 1, { dateAt: clock.now() - age * MINUTE }));
    put(...block);
    await settle();
    expect(block.map(({ guid }) => fate(guid))).toEqual(['backfill', 'backfill', 'backfill']);
  });

  it('goes on in the chat.db that takes the place of the one it began in', async () => {
    const { put, clock, source, fate, make, intake } = setUp();
    await clock.advance(40 * MINUTE);
    const newest = row(1, { dateAt: clock.now() });
    put(newest);
    await clock.advance(2 * MINUTE);
    const block = [30, 29, 28].map((age, n) => row(n + 2, { dateAt: clock.now() - age * MINUTE }));
    put(...block.slice(0, 2));
    await settle();
    expect(block.map(({ guid }) => fate(guid))).toEqual(['parked', 'parked', undefined]);
    intake.stop();
    source.rows = [...block, newest].map((one, n) => ({ ...one, rowid: n + 1 }));
    make().opened(source, { dev: '1', ino: '200' });
    await clock.advance(3_000);
    expect(block.map(({ guid }) => fate(guid))).toEqual(['backfill', 'backfill', 'backfill']);
  });
});
