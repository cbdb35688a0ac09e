import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openStateStore } from '../../src/ops/openStateStore.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

function setUp() {
  const clock = new FakeClock();
  const { telemetry, calls } = recordingTelemetry();
  const dir = tempDir();
  const store = openStateStore(dir, { clock, telemetry, onFatal() {} });
  onTestFinished(() => store.close());
  /** Another process writes to state.db until the returned function is called. */
  const lock = () => {
    const other = new Database(join(dir, 'state.db'));
    other.exec('BEGIN IMMEDIATE');
    return () => other.close();
  };
  const write = () => store.transaction(() => store.meta.set('version', '1'));
  const stands = (code: string) =>
    calls.findLast(({ event, args }) => event.startsWith('condition') && args[0] === code)?.event === 'conditionRaised';
  return { clock, store, lock, write, stands };
}

it('a lock on state.db stands as a condition until whoever writes next gets through', () => {
  const { lock, write, stands } = setUp();
  const unlock = lock();
  expect(write).toThrow(expect.objectContaining({ code: 'EDGE_STATE_BUSY' }));
  expect(stands('EDGE_STATE_BUSY')).toBe(true);
  unlock();
  write();
  expect(stands('EDGE_STATE_BUSY')).toBe(false);
});

it('a lock on state.db that is over does not stand because nobody has anything to write', async () => {
  const { clock, lock, write, stands } = setUp();
  const unlock = lock();
  expect(write).toThrow();
  await clock.advance(2_000);
  expect([stands('EDGE_STATE_BUSY'), clock.pending]).toEqual([true, 1]);
  unlock();
  await clock.advance(1_000);
  expect([stands('EDGE_STATE_BUSY'), clock.pending]).toEqual([false, 0]);
});

it('a state.db that could not be opened for a moment stands for no longer', async () => {
  const { clock, store, stands } = setUp();
  expect(() =>
    store.transaction(() => {
      throw Object.assign(new Error('unable to open database file'), { code: 'SQLITE_CANTOPEN' });
    }),
  ).toThrow(expect.objectContaining({ code: 'EDGE_STATE_DIR' }));
  expect(stands('EDGE_STATE_DIR')).toBe(true);
  await clock.advance(1_000);
  expect(stands('EDGE_STATE_DIR')).toBe(false);
});

it('a full disk stands until something was written, though it be for nobody', async () => {
  const { clock, store, write, stands } = setUp();
  const full = vi.spyOn(store.meta, 'set').mockImplementation(() => {
    throw new EdgeError('EDGE_STATE_FULL', 'database or disk is full');
  });
  expect(write).toThrow();
  await clock.advance(5_000);
  expect([stands('EDGE_STATE_FULL'), clock.pending]).toEqual([true, 1]);
  store.transaction(() => store.events.ack('none', clock.now())); // as each sync does that brings nothing
  expect(stands('EDGE_STATE_FULL')).toBe(true);
  full.mockRestore();
  await clock.advance(1_000);
  expect([stands('EDGE_STATE_FULL'), clock.pending]).toEqual([false, 0]);
});

it('what could not be noted is told once that it can be, within a second, and not while it cannot', async () => {
  const { clock, store, lock, write } = setUp();
  const told: string[] = [];
  const pump = () => told.push('pump');
  const unlock = lock();
  expect(write).toThrow();
  store.whenWritable(pump);
  store.whenWritable(() => told.push('uploads'));
  store.whenWritable(pump);
  await clock.advance(3_000);
  expect(told).toEqual([]);
  unlock();
  await clock.advance(1_000);
  expect(told).toEqual(['pump', 'uploads']);
  await clock.advance(3_000);
  expect(told).toHaveLength(2);
});

it('what waits is told by a look, not by the write of another that fitted in: no more than once a second', async () => {
  const { clock, store, write } = setUp();
  let told = 0;
  const again = () => {
    told++;
    store.whenWritable(again);
    write();
  };
  store.whenWritable(again);
  await clock.advance(10_000);
  expect(told).toBe(10);
});

it('nothing looks after a state.db that was closed', () => {
  const { clock, store, lock, write } = setUp();
  const unlock = lock();
  expect(write).toThrow();
  unlock();
  store.close();
  expect(clock.pending).toBe(0);
});
