import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Scheduler } from '../../src/messaging/Scheduler.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { silentTelemetry } from '../../src/util/Telemetry.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';
import { ANNA } from './senderRig.ts';

function rig() {
  const clock = new FakeClock();
  const statePath = join(tempDir(), 'state.db');
  const store = StateStore.open(statePath, clock.now());
  onTestFinished(() => store.close());
  const state = { due: 0 };
  const scheduler = new Scheduler({ store, clock, telemetry: silentTelemetry, onDue: () => state.due++ });
  const schedule = (commandId: string, inMs: number) => {
    const now = clock.now();
    store.commands.insert({
      commandId,
      commandType: 'schedule_message',
      payload: {},
      channel: 'sync',
      issuedAt: now,
      now,
    });
    store.schedules.insert({ scheduleId: commandId, threadId: ANNA, text: commandId, sendAt: now + inMs, now });
  };
  return { clock, statePath, store, scheduler, schedule, state };
}

describe('Scheduler', () => {
  it('turns a schedule into a send of its command when the time has come, once', async () => {
    const { clock, store, scheduler, schedule, state } = rig();
    scheduler.start();
    schedule('s1', 5000);
    scheduler.wake();
    await clock.advance(4999);
    expect(store.sends.openOf(ANNA)).toEqual([]);
    await clock.advance(1);
    expect(store.sends.openOf(ANNA)).toMatchObject([
      { key: 'command:s1', text: 's1', commandId: 's1', state: 'queued' },
    ]);
    expect(store.commands.byId('s1')?.sendId).toBe(store.sends.byKey('command:s1')?.sendId);
    await clock.advance(120_000);
    expect(store.sends.openOf(ANNA)).toHaveLength(1);
    expect(state.due).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('sends at the start what fell due while the agent was away, in order', () => {
    const { store, scheduler, schedule } = rig();
    schedule('second', -1000);
    schedule('first', -2000);
    scheduler.start();
    expect(store.sends.openOf(ANNA).map((send) => send.text)).toEqual(['first', 'second']);
  });

  it('fires a backlog larger than a batch without waiting', async () => {
    const { clock, store, scheduler, schedule } = rig();
    for (let i = 0; i < 250; i++) schedule(`s${i}`, -1);
    scheduler.start();
    await clock.advance(0);
    expect(store.sends.openOf(ANNA)).toHaveLength(250);
  });

  it('notices within a minute that the wall clock was set forward', async () => {
    const { clock, store, scheduler, schedule } = rig();
    schedule('s1', 86_400_000);
    scheduler.start();
    clock.jumpWall(86_400_000);
    await clock.advance(60_000);
    expect(store.sends.openOf(ANNA)).toHaveLength(1);
  });

  it('tries again when another process held state.db at the moment', async () => {
    const { clock, statePath, scheduler, schedule, state } = rig();
    schedule('s1', 5000);
    scheduler.start();
    const other = new Database(statePath);
    other.exec('BEGIN IMMEDIATE');
    await clock.advance(5000);
    expect(state.due).toBe(0);
    other.close();
    await clock.advance(1000);
    expect(state.due).toBe(1);
  });

  it('queues a long text as the bubbles it takes', () => {
    const { clock, store, schedule } = rig();
    schedule('a scheduled text of more than fifty characters, in two bubbles', -1);
    const telemetry = silentTelemetry;
    new Scheduler({ store, clock, telemetry, onDue: () => {}, maxBubbleChars: 50 }).start();
    expect(store.sends.openOf(ANNA).map((send) => send.text)).toEqual([
      'a scheduled text of more than fifty',
      'characters, in two bubbles',
    ]);
  });

  it('leaves no timer behind', () => {
    const { clock, scheduler, schedule } = rig();
    schedule('s1', 5000);
    scheduler.start();
    scheduler.stop();
    scheduler.wake();
    expect(clock.pending).toBe(0);
  });
});
