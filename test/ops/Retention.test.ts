import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Retention } from '../../src/ops/Retention.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function fail(error: unknown): never {
  throw error;
}

describe('Retention', () => {
  it('deletes batch after batch until nothing old is left, and goes on after an error', async () => {
    const clock = new FakeClock();
    const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
    store.transaction(() => {
      for (let n = 0; n < 1200; n++) {
        store.schedules.insert({ scheduleId: `s${n}`, threadId: 't', text: 'x', sendAt: 1, now: 1 });
        store.schedules.finish(`s${n}`, 'cancelled', clock.now() - 100 * DAY_MS);
      }
    });
    const errors: unknown[] = [];
    const retention = new Retention({ store, clock, onError: (error) => errors.push(error) });
    retention.start();
    await clock.advance(HOUR_MS);
    expect([...store.schedules.list(undefined, 2000)]).toHaveLength(700);
    await clock.advance(5_000);
    expect([...store.schedules.list(undefined, 2000)]).toHaveLength(0);
    store.close();
    await clock.advance(HOUR_MS);
    expect(errors).toHaveLength(1);
    expect(clock.pending).toBe(1);
    retention.stop();
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['is ahead when the agent starts, and put right minutes later', 0],
    ['is set ahead right before a round, and put right minutes later', HOUR_MS - 60_000],
  ])('deletes nothing by a clock that %s', async (_when, aheadAfterMs) => {
    const clock = new FakeClock();
    const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
    store.schedules.insert({ scheduleId: 's1', threadId: 't', text: 'x', sendAt: 1, now: 1 });
    store.schedules.finish('s1', 'cancelled', clock.now());
    const retention = new Retention({ store, clock, onError: fail });
    if (aheadAfterMs > 0) retention.start();
    await clock.advance(aheadAfterMs);
    clock.jumpWall(365 * DAY_MS);
    if (aheadAfterMs === 0) retention.start();
    await clock.advance(10 * 60_000);
    clock.jumpWall(-365 * DAY_MS);
    await clock.advance(2 * DAY_MS);
    expect(store.schedules.byId('s1')?.text).toBe('x');
    await clock.advance(6 * DAY_MS);
    expect(store.schedules.byId('s1')?.text).toBe('');
    retention.stop();
    store.close();
  });

  it('forgets the text of a schedule a week after its end, and keeps that of one to come', () => {
    const store = StateStore.open(join(tempDir(), 'state.db'), 1);
    for (const scheduleId of ['gone', 'to come']) {
      store.schedules.insert({ scheduleId, threadId: 't', text: 'x', sendAt: 1, now: 1 });
    }
    store.schedules.finish('gone', 'fired', 1);
    store.prune(7 * DAY_MS + 2);
    expect([store.schedules.byId('gone')?.text, store.schedules.byId('to come')?.text]).toEqual(['', 'x']);
    store.close();
  });
});
