import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SyncExchange } from '../../src/ops/SyncExchange.ts';
import type { SyncResponse } from '../../src/protocol/wire.ts';
import { StateStore } from '../../src/state/StateStore.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

const NOTHING: SyncResponse = { commands: [], ack_events: [], config_updates: undefined, flaws: [] };

function rig(takeCommands: (commands: readonly unknown[]) => Promise<void> = async () => {}) {
  const clock = new FakeClock();
  const store = StateStore.open(join(tempDir(), 'state.db'), clock.now());
  onTestFinished(() => store.close());
  const { telemetry, calls } = recordingTelemetry();
  const configs: unknown[] = [];
  const exchange = new SyncExchange({
    store,
    clock,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    telemetry,
    agentId: 'edge_15550100001',
    sync: async () => NOTHING,
    takeCommands,
    onConfigUpdate: (raw) => configs.push(raw),
    onAnswer: () => {},
  });
  store.events.insert({ event_id: 'e1', event_type: 'error', details: {} }, clock.now());
  return { exchange, store, calls, configs };
}

it('takes events off once the commands that came with them are taken', async () => {
  const taken = Promise.withResolvers<void>();
  const { exchange, store, configs } = rig(() => taken.promise);
  const config = { sync_interval: 5 };
  const delivered = exchange.deliver({ ...NOTHING, commands: [1], ack_events: ['e1'], config_updates: config });
  expect(store.events.hasWaiting()).toBe(true);
  taken.resolve();
  await delivered;
  expect([store.events.hasWaiting(), configs]).toEqual([false, [config]]);
});

it('fails with the commands that could not be taken, so that the sync is made again', async () => {
  const { exchange, store } = rig(() => Promise.reject(new Error('disk')));
  await expect(exchange.deliver({ ...NOTHING, commands: [1], ack_events: ['e1'] })).rejects.toThrow('disk');
  expect(store.events.hasWaiting()).toBe(true);
});

it('takes no more commands from one answer than may wait at all', async () => {
  const counts: number[] = [];
  const { exchange } = rig(async (commands) => void counts.push(commands.length));
  await exchange.deliver({ ...NOTHING, commands: Array.from({ length: 10_001 }, () => ({})) });
  expect(counts).toEqual([10_000]);
});

it('tells what is wrong with the answers once while it is the same', async () => {
  const { exchange, calls } = rig();
  for (const flaws of [['a'], ['a'], [], ['a', 'b']]) await exchange.deliver({ ...NOTHING, flaws });
  expect(calls.map(({ args }) => args[1])).toEqual(['the answer to a sync: a', 'the answer to a sync: a; b']);
});
