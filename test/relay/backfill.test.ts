import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatRow } from '../../src/chatdb/types.ts';
import { BURST_MOST_MS, newerOf } from '../../src/relay/backfill.ts';
import { settle } from '../support/FakeClock.ts';
import { ANNA, BERT, row } from './fakes.ts';
import { setUp } from './intakeRig.ts';

const MINUTE = 60_000;

/** A Mac on which a message came ten minutes ago and nothing since. */
function quietMac() {
  const rig = setUp();
  const { clock, put, fate } = rig;
  put(row(1, { dateAt: clock.now() }));
  const begin = async () => {
    await clock.advance(10 * MINUTE);
    return clock.now();
  };
  let rowid = 1;
  /** Rows written so many minutes before now, in this order. */
  const minutesOld = (...ages: number[]): ChatRow[] =>
    ages.map((age) => row(++rowid, { dateAt: clock.now() - age * MINUTE }));
  const fates = (rows: readonly ChatRow[]) => rows.map(({ guid }) => fate(guid));
  return { ...rig, begin, minutesOld, fates };
}

describe('messages that come in the order of an outage', () => {
  it('are live however they are shuffled, as long as they were written after what came before it', async () => {
    const { begin, minutesOld, put, fates } = quietMac();
    await begin();
    const rows = minutesOld(2, 9, 5, 8, 1, 0, 7);
    put(...rows);
    await settle();
    expect(fates(rows)).toEqual(rows.map(() => 'live'));
  });

  it('are live however they are shuffled when they trickle in', async () => {
    const { begin, minutesOld, put, fates, clock } = quietMac();
    await clock.advance(20 * MINUTE);
    await begin();
    const rows = minutesOld(1, 29, 25, 28, 0, 20, 19);
    for (const one of rows) {
      put(one);
      await clock.advance(5_000);
    }
    expect(fates(rows)).toEqual(rows.map(() => 'live'));
  });

  it('are old news when they are older than answers go', async () => {
    const { begin, minutesOld, put, fates } = quietMac();
    await begin();
    const rows = minutesOld(61, 59);
    put(...rows);
    await settle();
    expect(fates(rows)).toEqual(['backfill', 'parked']);
  });
});

describe('before the first message', () => {
  it('a block lies behind the moment at which the agent first ran, and a message of then does not', async () => {
    const { put, fate, clock } = setUp();
    const ages = [0, 50, 40, 30];
    put(...ages.map((age, index) => row(index + 1, { dateAt: clock.now() - age * MINUTE })));
    await settle();
    expect(ages.map((_, index) => fate(`guid-${index + 1}`))).toEqual(['live', 'backfill', 'backfill', 'backfill']);
  });
});

describe('a message written long before those of the moment', () => {
  it('is live after two seconds when it comes alone, before what comes later is told', async () => {
    const { begin, minutesOld, put, fates, clock, told, backfill } = quietMac();
    await begin();
    const [late] = minutesOld(30);
    put(late!);
    await clock.advance(1_999);
    expect(fates([late!])).toEqual(['parked']);
    expect(told('rowParked')).toEqual([['guid-2', 'company']]);
    await clock.advance(1);
    expect(fates([late!])).toEqual(['live']);
    expect(backfill).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('does not hold up what its sender writes meanwhile', async () => {
    const { begin, minutesOld, put, store } = quietMac();
    await begin();
    put(...minutesOld(30, 0));
    await settle();
    expect(store.inbound.openOf(ANNA, 0, 9).map(({ guid }) => guid)).toEqual(['guid-1', 'guid-3']);
  });

  it('is live with one other, and backfill with two', async () => {
    const { begin, minutesOld, put, fates, clock } = quietMac();
    await begin();
    const two = minutesOld(40, 30);
    put(...two);
    await clock.advance(2_000);
    expect(fates(two)).toEqual(['live', 'live']);
    await clock.advance(2 * MINUTE);
    const three = minutesOld(42, 32, 55);
    put(...three);
    await settle();
    expect(fates(three)).toEqual(['backfill', 'backfill', 'backfill']);
  });

  it('is handed over as it reads when its wait is over', async () => {
    const { begin, minutesOld, put, source, clock, body } = quietMac();
    await begin();
    put(...minutesOld(30));
    source.replace(2, { text: 'the rest came' });
    await clock.advance(2_000);
    expect(body(2).filtered_text).toBe('the rest came');
  });

  it('and is not whole yet waits for the rest as any other', async () => {
    const { begin, minutesOld, put, source, fates, clock } = quietMac();
    await begin();
    const [late] = minutesOld(30);
    put({ ...late!, text: '' });
    await clock.advance(4_000);
    expect(fates([late!])).toEqual(['parked']);
    source.replace(2, { text: 'here' });
    await clock.advance(1_000);
    expect(fates([late!])).toEqual(['live']);
  });
});

describe('a block from iCloud', () => {
  it('is backfill as a whole, in several threads, with what is live in its midst live', async () => {
    const { begin, minutesOld, put, fates, source } = quietMac();
    await begin();
    const block = minutesOld(50, 49, 48, 47).map((one, n) => (n % 2 ? { ...one, handle: BERT } : one));
    const [live] = minutesOld(0);
    put(...block.slice(0, 1), live!, ...block.slice(1));
    await settle();
    expect(source.rows).toHaveLength(6);
    expect(fates(block)).toEqual(block.map(() => 'backfill'));
    expect(fates([live!])).toEqual(['live']);
  });

  it('is backfill on a Mac where nothing came in since the agent was first started', async () => {
    const { put, fate, clock } = setUp();
    await clock.advance(MINUTE);
    const rows = [0, 50, 49, 48].map((age, n) => row(n + 1, { dateAt: clock.now() - age * MINUTE }));
    put(...rows);
    await settle();
    expect(rows.map(({ guid }) => fate(guid))).toEqual(['live', 'backfill', 'backfill', 'backfill']);
  });

  it('that trickles in, a row a commit, is never answered', async () => {
    const { begin, minutesOld, put, fates, clock } = quietMac();
    await begin();
    const block = minutesOld(50, 49, 48, 30, 31);
    for (const one of block) {
      put(one);
      await clock.advance(1_900);
    }
    expect(fates(block)).toEqual(block.map(() => 'backfill'));
  });

  it('that trickles in gets the same verdict across a crash after every row', async () => {
    const { begin, minutesOld, put, fates, clock, crash } = quietMac();
    await begin();
    const block = minutesOld(50, 49, 48, 30, 31);
    for (const one of block) {
      put(one);
      crash();
      await clock.advance(1_000);
      crash();
    }
    await clock.advance(2_000);
    expect(fates(block)).toEqual(block.map(() => 'backfill'));
  });

  it('is backfill when the crash comes between its third row and the two that waited', async () => {
    const { begin, minutesOld, put, fates, clock, crash } = quietMac();
    await begin();
    const block = minutesOld(50, 49, 48);
    put(...block);
    expect(fates(block)).toEqual(['parked', 'parked', 'backfill']);
    crash();
    await clock.advance(100);
    expect(fates(block)).toEqual(['backfill', 'backfill', 'backfill']);
  });

  it('is one row in the log, however long', async () => {
    const { begin, minutesOld, put, told } = quietMac();
    await begin();
    const before = told('messageReceived').length;
    put(...minutesOld(...Array.from({ length: 150 }, (_, n) => 50 - n / 10)));
    await settle();
    expect(told('blockTaken')).toHaveLength(1);
    expect(told('messageReceived').length - before).toBe(2); // those that had waited for company
  });

  it('does not make an own row of that time a sign of it', async () => {
    const { begin, minutesOld, put, fates, clock } = quietMac();
    await begin();
    const [own1, own2, late] = minutesOld(50, 49, 48);
    put({ ...own1!, isFromMe: true }, { ...own2!, isFromMe: true }, late!);
    await clock.advance(2_000);
    expect(fates([late!])).toEqual(['live']);
  });

  it('is known by what came before it, not by an own message', async () => {
    const { begin, minutesOld, put, fates } = quietMac();
    await begin();
    const [own] = minutesOld(0);
    put({ ...own!, isFromMe: true, dateAt: own!.dateAt! });
    const rows = minutesOld(18, 17, 16);
    put(...rows);
    await settle();
    expect(fates(rows)).toEqual(['live', 'live', 'live']);
  });
});

describe('what came before the rows of the moment', () => {
  it('is what had come a minute ago, or when the burst began', async () => {
    const { begin, minutesOld, put, fates, clock } = quietMac();
    await begin();
    for (let n = 0; n < BURST_MOST_MS / 30_000 + 41; n++) {
      put(...minutesOld(0));
      await clock.advance(30_000);
    }
    const rows = minutesOld(34, 33, 32);
    put(...rows);
    await settle();
    expect(fates(rows)).toEqual(['backfill', 'backfill', 'backfill']);
  });

  it('is never in the future, and a date in the future makes nothing after it old', async () => {
    const { begin, minutesOld, put, fates } = quietMac();
    await begin();
    const ahead = minutesOld(-23 * 60, -60);
    put(...ahead);
    const rows = minutesOld(0, 0, 0, 1);
    put(...rows);
    await settle();
    expect(fates([...ahead, ...rows])).toEqual(Array.from({ length: 6 }, () => 'live'));
    expect(newerOf(5, 100, 10)).toBe(10);
  });

  it('says nothing of a message without a date', async () => {
    const { begin, minutesOld, put, fates } = quietMac();
    await begin();
    const rows = minutesOld(30, 30, 30).map((one) => ({ ...one, dateAt: undefined }));
    put(...rows);
    await settle();
    expect(fates(rows)).toEqual(['live', 'live', 'live']);
  });
});

describe('any interleaving of live rows, blocks and crashes', () => {
  it('takes each message once, and nothing of a block is live', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('live' as const), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ do: fc.constant('block' as const), count: fc.integer({ min: 3, max: 7 }), trickles: fc.boolean() }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 90_000 }) }),
      fc.record({ do: fc.constant('crash' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(), async (steps, salt) => {
        const { begin, minutesOld, put, fate, clock, crash } = quietMac();
        await begin();
        await clock.advance(5 * MINUTE); // the newest message is a quarter of an hour old: blocks lie behind it
        const wanted = new Map<string, string>([['guid-1', 'live']]);
        let n = salt % 7;
        const next = (kind: 'live' | 'block') => minutesOld(kind === 'live' ? 0 : 45 + (n++ % 14))[0]!;
        for (const one of steps) {
          if (one.do === 'wait') await clock.advance(one.ms);
          else if (one.do === 'crash') crash();
          else {
            for (let left = one.count; left > 0; left--) {
              const message = next(one.do);
              wanted.set(message.guid, one.do === 'live' ? 'live' : 'backfill');
              put(message);
              if (one.do === 'block' && one.trickles) await clock.advance(1_500);
            }
          }
        }
        await clock.advance(5_000);
        for (const [guid, verdict] of wanted) expect([guid, fate(guid)]).toEqual([guid, verdict]);
      }),
      { numRuns: 40 },
    );
  });
});
