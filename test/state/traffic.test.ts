import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { TRAFFIC_QUERIES } from '../../src/state/Traffic.ts';
import { tempDir } from '../support/tempDir.ts';

const DAY = Date.UTC(2026, 10, 21);
const SPAN = { from: DAY, to: DAY + 3_600_000, bucketMs: 600_000 };

function openStore() {
  const path = join(tempDir(), 'state.db');
  const store = StateStore.open(path, DAY);
  onTestFinished(() => store.close());
  let rows = 0;
  const receive = (at: number, more: object = {}) =>
    store.inbound.insert({
      guid: `g${++rows}`,
      epoch: 1,
      chatRowid: rows,
      threadId: '+15550100002',
      body: undefined,
      backfill: false,
      now: at,
      ...more,
    });
  const send = (at: number, ends: boolean) => {
    const { sendId } = store.sends.insert({
      key: `k${++rows}`,
      threadId: '+15550100002',
      text: 'x',
      bubbleType: 'normal',
      now: at,
    });
    const db = new Database(path);
    const state = ends ? 'delivered' : 'unknown';
    db.prepare('UPDATE sends SET state = ?, sending_at = ? WHERE send_id = ?').run(state, at, sendId);
    db.close();
  };
  return { path, store, receive, send };
}

describe('the traffic of a day', () => {
  it('counts what came in and what went out in each part of it, and nothing else', () => {
    const { store, receive, send } = openStore();
    receive(DAY - 1);
    receive(DAY);
    receive(DAY + 599_999);
    receive(DAY + 600_000);
    receive(DAY + 600_001, { backfill: true });
    receive(DAY + 600_002, { skipped: 'duplicate' });
    receive(DAY + 3_599_999);
    receive(DAY + 3_600_000);
    send(DAY - 1, true);
    send(DAY + 1_200_000, true);
    send(DAY + 1_200_001, false);
    send(DAY + 3_600_000, true);
    expect(store.traffic.counts(SPAN)).toEqual({ in: [2, 1, 0, 0, 0, 1], out: [0, 0, 1, 0, 0, 0] });
  });

  it.each([[0], [1], [2], [7]])('finds where the day begins behind %i rows of the days before', (earlier) => {
    const { store, receive } = openStore();
    for (let n = earlier; n > 0; n--) receive(DAY - n * 1000);
    receive(DAY + 5);
    expect(store.traffic.counts(SPAN).in).toEqual([1, 0, 0, 0, 0, 0]);
  });

  it('is empty in a store that is', () => {
    expect(openStore().store.traffic.counts(SPAN)).toEqual({ in: Array(6).fill(0), out: Array(6).fill(0) });
  });

  it('reads the rows of the day and no others', () => {
    const { path } = openStore();
    const db = new Database(path, { readonly: true });
    onTestFinished(() => void db.close());
    for (const [name, sql] of Object.entries(TRAFFIC_QUERIES)) {
      const unbound = sql.includes('@')
        ? [{ from: 0, to: 0, bucketMs: 1, firstId: 0 }]
        : Array(sql.split('?').length - 1).fill(0);
      const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...unbound) as { detail: string }[];
      const reads = steps.map(({ detail }) => detail).filter((detail) => /inbound|sends/.test(detail));
      expect(reads.length, name).toBeGreaterThan(0);
      for (const read of reads) expect(read, name).toMatch(/^SEARCH /);
    }
  });
});
