import { describe, expect, it } from 'vitest';
import { BERT, chat, row } from './fakes.ts';
import { setUp } from './intakeRig.ts';

const MINUTE = 60_000;
const GROUP = chat('chat831', true);

/** A Mac that slept for half an hour after the last message. */
async function woken() {
  const rig = setUp();
  rig.put(row(1));
  await rig.clock.advance(30 * MINUTE);
  const { clock, put } = rig;
  const dated = (agoMs: number) => ({ dateAt: clock.now() - agoMs });
  const bare = (rowid: number, agoMs = 0) => row(rowid, { chat: undefined, ...dated(agoMs) });
  const inGroup = (rowid: number, agoMs = 0) => row(rowid, { chat: GROUP, handle: BERT, ...dated(agoMs) });
  const inOrder = () => rig.store.inbound.openOf(GROUP.identifier, 0, 9).map(({ guid }) => guid);
  /** How long until the rows are taken in, ms in steps of 50. */
  const takes = async (...rows: Parameters<typeof put>) => {
    const from = clock.now();
    put(...rows);
    while (rig.cursor() < rows.at(-1)!.rowid && clock.now() - from < 20_000) await clock.advance(50);
    return clock.now() - from;
  };
  return { ...rig, current: rig.current, bare, inGroup, inOrder, takes };
}

describe('a row without its chat', () => {
  it.each([0, 8_000, 11_000, MINUTE, 40 * MINUTE])(
    'is waited for by what is written next in a group, which may be its own, also where it is %i ms old',
    async (agoMs) => {
      const { bare, inGroup, inOrder, put, source, cursor, state, clock } = await woken();
      put(bare(2, agoMs), inGroup(3, agoMs));
      await clock.advance(300);
      expect([cursor(), state(2)]).toEqual([2, 'parked']);
      await clock.advance(400);
      expect(cursor()).toBe(2);
      source.replace(2, { chat: GROUP });
      put();
      await clock.advance(50);
      expect([cursor(), inOrder()]).toEqual([3, ['guid-2', 'guid-3']]);
    },
  );

  it('is waited for by groups also when the agent ends meanwhile', async () => {
    const { bare, inGroup, inOrder, put, source, crash, current, clock } = await woken();
    put(bare(2, MINUTE), inGroup(3, MINUTE));
    await clock.advance(300);
    crash();
    await clock.advance(300);
    source.replace(2, { chat: GROUP });
    current().changed(source);
    await clock.advance(50);
    expect(inOrder()).toEqual(['guid-2', 'guid-3']);
  });

  it('holds groups up for a second, conversations of two not at all', async () => {
    const { bare, inGroup, put, cursor, clock } = await woken();
    put(bare(2), row(3, { handle: BERT }), inGroup(4));
    await clock.advance(300);
    expect(cursor()).toBe(3);
    await clock.advance(650);
    expect(cursor()).toBe(3);
    await clock.advance(100);
    expect(cursor()).toBe(4);
  });

  it.each([
    ['is backfill by its age', 61 * MINUTE],
    ['may be backfill, because it lies behind', 50 * MINUTE],
  ])('holds no group up where it %s', async (_, agoMs) => {
    const { bare, inGroup, takes } = await woken();
    expect(await takes(bare(2, agoMs), inGroup(3))).toBe(250);
  });

  it('holds groups up once with all that come together, live or old', async () => {
    const { bare, inGroup, takes } = await woken();
    const pairs = (from: number, agoMs: number) =>
      Array.from({ length: 90 }, (_, n) => [bare(from + 2 * n, agoMs), inGroup(from + 2 * n + 1, agoMs)]).flat();
    expect(await takes(...pairs(2, 10 * MINUTE))).toBeLessThanOrEqual(1_100);
    expect(await takes(...pairs(182, 61 * MINUTE))).toBe(250);
  });
});
