import { copyFileSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { tempDir } from '../support/tempDir.ts';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

function newPath(): string {
  return join(tempDir(), 'state.db');
}

/** Opens, begins a bubble at `at`, closes. */
function begin(path: string, key: string, at: number): void {
  const store = StateStore.open(path, at);
  const { sendId } = store.sends.insert({ key, threadId: 't', text: key, bubbleType: 'normal', now: at });
  store.transaction(() => store.noteBubble(sendId, { rowid: 1, epoch: 1 }, at));
  store.bubbleNoted();
  store.close();
}

function look(path: string, now: number) {
  const store = StateStore.open(path, now);
  const { isBehind, forgotten } = store;
  const begunAt = Number(store.meta.get('begun_at'));
  store.close();
  return { isBehind, forgotten, begunAt };
}

function remove(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
}

it('remembers everything as long as nobody touches it', () => {
  const path = newPath();
  for (let n = 0; n < 3; n++) begin(path, `key ${n}`, NOW + n);
  expect(look(path, NOW + DAY)).toEqual({ isBehind: false, forgotten: undefined, begunAt: NOW });
  expect(statSync(join(dirname(path), 'high-water')).mode & 0o777).toBe(0o600);
});

it('knows from which bubble on an older copy has forgotten, says so once, and goes on counting', () => {
  const path = newPath();
  begin(path, 'known', NOW);
  copyFileSync(path, `${path}.copy`);
  begin(path, 'forgotten', NOW + 1000);
  copyFileSync(`${path}.copy`, path);
  const forgotten = { from: NOW, until: NOW + DAY };
  expect(look(path, NOW + DAY)).toEqual({ isBehind: true, forgotten, begunAt: NOW });
  expect(look(path, NOW + DAY + 1)).toEqual({ isBehind: false, forgotten, begunAt: NOW });
  begin(path, 'next', NOW + DAY + 2);
  copyFileSync(`${path}.copy`, path);
  expect(look(path, NOW + 2 * DAY).isBehind).toBe(true);
});

it('takes up the last 24 hours again where state.db is gone, but nothing from before its time', () => {
  const path = newPath();
  begin(path, 'key', NOW);
  remove(path);
  expect(look(path, NOW + 1000)).toEqual({
    isBehind: true,
    forgotten: { from: NOW + 1000 - DAY, until: NOW + 1000 },
    begunAt: NOW,
  });
  remove(path);
  expect(look(path, NOW + 9 * DAY)).toMatchObject({ begunAt: NOW + 8 * DAY });
});

it('does so for a damaged state.db also where nothing was counted', () => {
  const path = newPath();
  StateStore.open(path, NOW).close();
  expect(existsSync(join(dirname(path), 'high-water'))).toBe(false);
  writeFileSync(path, 'not a database, by any means'.repeat(400));
  expect(look(path, NOW + 1000)).toEqual({
    isBehind: true,
    forgotten: { from: NOW + 1000 - DAY, until: NOW + 1000 },
    begunAt: NOW + 1000 - DAY,
  });
});

it('takes a count that cannot be read for none', () => {
  const path = newPath();
  begin(path, 'key', NOW);
  writeFileSync(join(dirname(path), 'high-water'), 'x y');
  expect(look(path, NOW).isBehind).toBe(false);
});

/** Opens at `at` and says from when on it is not sure. */
function unsureAt(path: string, at: number, work: (store: StateStore) => void = () => {}): number | undefined {
  const store = StateStore.open(path, at);
  const { unsure } = store;
  expect(unsure?.until).toBe(at);
  work(store);
  store.close();
  return unsure?.from;
}

describe('the time before a start of which state.db cannot be sure', () => {
  const command = { commandType: 'send_message_now', payload: {}, channel: 'sync' as const, issuedAt: undefined };
  const message = { epoch: 1, chatRowid: 1, threadId: 't', backfill: false };

  it('begins with the last thing that was noted', () => {
    const path = newPath();
    expect(unsureAt(path, NOW)).toBe(NOW);
    begin(path, 'key', NOW + 1000);
    const end = (store: StateStore) => store.sends.finish(store.sends.byKey('key')!.sendId, 'failed', NOW + 1000);
    unsureAt(path, NOW + 2000, end);
    expect(unsureAt(path, NOW + 2000)).toBe(NOW + 1000);
    const take = ({ commands }: StateStore) => commands.insert({ ...command, commandId: 'c', now: NOW + 3000 });
    expect(unsureAt(path, NOW + 3000, take)).toBe(NOW + 1000);
    const skipped = { ...message, guid: 'g', body: undefined, skipped: 'echo', now: NOW + 4000 };
    expect(unsureAt(path, NOW + 4000, ({ inbound }) => void inbound.insert(skipped))).toBe(NOW + 3000);
    const stop = ({ meta }: StateStore) => meta.set('stopped_at', String(NOW + 5000));
    expect(unsureAt(path, NOW + 5000, stop)).toBe(NOW + 4000);
    expect(unsureAt(path, NOW + 6000)).toBe(NOW + 5000);
  });

  it('does not reach back for what was asked for long after the start before', () => {
    const path = newPath();
    unsureAt(path, NOW);
    const at = NOW + DAY / 2;
    const waiting = { ...message, guid: 'g', body: undefined, messageAt: at, now: at };
    unsureAt(path, NOW + 1, ({ inbound }) => void inbound.insert(waiting));
    expect(unsureAt(path, at + 1000)).toBe(at);
  });

  it('is not over with a second start as long as something of it is not done, but for a day at most', () => {
    const path = newPath();
    unsureAt(path, NOW);
    const read = ({ inbound }: StateStore) => {
      inbound.insert({ ...message, guid: 'g', body: undefined, messageAt: NOW, now: NOW + 1000 });
    };
    expect(unsureAt(path, NOW + 1000, read)).toBe(NOW);
    expect(unsureAt(path, NOW + 2000)).toBe(NOW);
    expect(unsureAt(path, NOW + DAY + 5000)).toBe(NOW + 5000);
    expect(unsureAt(path, NOW + DAY + 6000, ({ inbound }) => inbound.markDone('g', NOW))).toBe(NOW + 6000);
    expect(unsureAt(path, NOW + DAY + 7000)).toBe(NOW + 7000);
  });

  it('is not shortened by what was noted while the clock was ahead', () => {
    const path = newPath();
    unsureAt(path, NOW);
    begin(path, 'key', NOW + DAY);
    expect(unsureAt(path, NOW + 1000)).toBe(NOW);
  });
});
