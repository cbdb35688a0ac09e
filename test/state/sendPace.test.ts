import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PACE_QUERIES } from '../../src/state/SendPace.ts';
import type { NewSend } from '../../src/state/SendRow.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { tempDir } from '../support/tempDir.ts';

const ANNA = '+15550100001';

function withStore() {
  const path = join(tempDir(), 'state.db');
  const store = StateStore.open(path, 0);
  onTestFinished(() => store.close());
  const insert = (key: string, change: Partial<NewSend> = {}) =>
    store.sends.insert({ key, threadId: ANNA, text: 'hello', bubbleType: 'normal', now: 0, ...change });
  const begin = (key: string, at: number, opensThread = false) =>
    store.sends.markSending(store.sends.byKey(key)!.sendId, { rowid: 0, epoch: 1 }, at, opensThread);
  const confirm = (key: string, at: number) => {
    begin(key, at);
    const { sendId } = store.sends.byKey(key)!;
    store.sends.markConfirmed(sendId, { guid: `G-${key}`, rowid: sendId }, at);
  };
  return { path, store, insert, begin, confirm };
}

describe.each([
  ['fresh', false],
  ['analysed', true],
])('in a %s state.db', (_, analyze) => {
  it('no query for a turn scans the table or sorts', () => {
    const { path, store, insert, confirm } = withStore();
    store.transaction(() => {
      for (let n = 0; n < 500; n++) {
        insert(`s${n}`, { threadId: `t${n % 7}`, groupKey: `g${n % 90}`, bubbleIndex: n % 5, immediate: n % 11 === 0 });
        if (n % 3) confirm(`s${n}`, n);
      }
    });
    const db = new Database(path);
    if (analyze) db.exec('ANALYZE');
    for (const [name, sql] of Object.entries(PACE_QUERIES)) {
      const unbound = Array.from({ length: (sql.match(/\?/g) ?? []).length }, () => 1);
      const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...unbound) as { detail: string }[];
      // `past`, `t` and the query in parentheses hold one row a thread; the first thread is the first entry of its index.
      const bad = steps
        .map(({ detail }) => detail)
        .filter((step) =>
          /USE TEMP B-TREE|SCAN (?!past|t$|\(subquery|sends USING (COVERING )?INDEX sends_open)/.test(step),
        );
      expect([name, bad]).toEqual([name, []]);
      if (!name.startsWith('head')) continue;
      // By thread alone, or by group alone, each of their rows would be looked at.
      for (const index of [/sends_immediate \(thread_id=\?\)/, /sends_group \(group_key=\? AND bubble_index<\?\)/]) {
        expect(steps.some(({ detail }) => index.test(detail))).toBe(true);
      }
    }
    db.close();
  });
});

describe('the heads', () => {
  it('are the first open send of each thread, by position and then by the place in the group', () => {
    const { store, insert, confirm } = withStore();
    insert('b2', { groupKey: 'b', position: 2, bubbleIndex: 1 });
    insert('b1', { groupKey: 'b', position: 2, bubbleIndex: 0 });
    insert('a1', { groupKey: 'a', position: 1, bubbleIndex: 0 });
    insert('c1', { threadId: 'chat1' });
    const ids = () => store.sendPace.heads().map(({ sendId }) => store.sends.byId(sendId)?.key);
    expect(ids()).toEqual(['a1', 'c1']);
    confirm('a1', 5);
    confirm('c1', 5);
    expect(ids()).toEqual(['b1']);
    expect(store.sendPace.heads()).toEqual([store.sendPace.headOf(ANNA)]);
    confirm('b1', 6);
    confirm('b2', 7);
    expect(store.sendPace.heads()).toEqual([]);
    expect(store.sendPace.headOf(ANNA)).toBeUndefined();
  });

  it('know that a bubble behind them is immediate as long as it is open', () => {
    const { store, insert, confirm } = withStore();
    insert('a');
    insert('b', { immediate: true });
    insert('c');
    expect(store.sendPace.headOf(ANNA)).toMatchObject({ immediate: 0, isUrgent: 1 });
    confirm('a', 1);
    confirm('b', 2);
    expect(store.sendPace.headOf(ANNA)).toMatchObject({ isUrgent: 0 });
  });

  it('follow the bubble of their group that was begun last, or the reflex before it unless that failed', () => {
    const { store, insert, begin, confirm } = withStore();
    const reflex = insert('command:r1', { bubbleType: 'reflex' });
    const group = { groupKey: 'reply:G', position: 2 };
    insert('reply:G:0', { ...group, state: 'superseded', reflexCommandId: 'r1' });
    insert('reply:G:1', { ...group, bubbleIndex: 1, text: 'äöü' });
    insert('reply:G:2', { ...group, bubbleIndex: 2 });
    confirm('command:r1', 100);
    expect(store.sendPace.headOf(ANNA)).toMatchObject({ followsAt: 100, chars: 3 });
    confirm('reply:G:1', 200);
    expect(store.sendPace.headOf(ANNA)?.followsAt).toBe(200);
    confirm('reply:G:2', 300);
    insert('alone');
    expect(store.sendPace.headOf(ANNA)?.followsAt).toBeNull();
    begin('alone', 400);
    expect(store.sendPace.headOf(ANNA)?.followsAt).toBeNull();

    store.sends.finish(reflex.sendId, 'failed', 500);
    insert('reply:H:0', { threadId: 'chat1', groupKey: 'reply:H' });
    store.sends.linkReflex(store.sends.byKey('reply:G:0')!.sendId, 'r2');
    store.sends.linkReflex(store.sends.byKey('reply:H:0')!.sendId, 'r1');
    expect(store.sendPace.headOf('chat1')?.followsAt).toBeNull();
  });
});

it('tells what was begun, and which threads were opened, the newest first', () => {
  const { store, insert, begin } = withStore();
  const ids = ['a', 'b', 'c'].map((key, n) => insert(key, { threadId: `t${n}` }).sendId);
  begin('a', 10);
  begin('c', 20, true);
  begin('b', 30);
  expect(store.sendPace.begunSince(10, 9)).toEqual([
    { key: ids[1], at: 30 },
    { key: ids[2], at: 20 },
  ]);
  expect(store.sendPace.begunSince(0, 1)).toHaveLength(1);
  expect(store.sendPace.openedSince(0)).toEqual([{ key: 't2', at: 20 }]);
  expect(store.sends.byId(ids[2]!)?.opensThread).toBe(1);
});
