import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { Sender } from '../../src/messaging/Sender.ts';
import { EXIT_0, FakeMac } from '../messaging/FakeMac.ts';
import { settle } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { ANNA, FakeSource, row } from './fakes.ts';
import { setUp } from './intakeRig.ts';

it('a bubble whose row has another number in a new chat.db is not sent again before state.db has taken that file', async () => {
  const { intake, clock, store, path, source } = setUp({ source: new FakeSource().add(row(100)) });
  await settle();
  let mac = new FakeMac(() => clock.now());
  mac.onRun = () => EXIT_0;
  const sender = new Sender({
    store,
    chatDb: () => (intake.isPlaced ? mac : undefined),
    epoch: () => intake.epoch,
    runner: { run: (script, args) => mac.run(script, args), idle: async () => {} },
    clock,
    telemetry: recordingTelemetry().telemetry,
    scriptTimeoutSeconds: 30,
    settleSeconds: 60,
    pace: { bubblePause: 'none', allowNewThreads: true, rate: { perMinute: 0, perHour: 0, newThreadsPerDay: 0 } },
    smsFallback: false,
    launchMessages: async () => {},
    onSettled: () => {},
  });
  onTestFinished(() => sender.stop());
  sender.start();
  const now = clock.now();
  const send = store.sends.insert({ key: 'cli:1', threadId: ANNA, text: 'once', bubbleType: 'normal', now });
  sender.wake();
  await settle();
  expect(mac.calls).toHaveLength(1);
  await clock.advance(59_500);

  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  const old = mac.write({ target: ANNA, text: 'once' }, { dateAt: now });
  mac = new FakeMac(() => clock.now());
  mac.rows.push({ ...old, rowid: 5 });
  mac.onRun = () => EXIT_0;
  source.rows = [];
  intake.opened(source, { dev: '1', ino: '200' });
  other.close(); // intake tries again in a second
  await clock.advance(60_000);
  expect(mac.calls).toEqual([]);
  expect(store.sends.byId(send.sendId)?.state).toBe('confirmed');
});
