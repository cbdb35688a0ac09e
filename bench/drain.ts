import '../src/util/v8Flags.ts'; // first, as src/index.ts does

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackendClient } from '../src/backend/BackendClient.ts';
import { Network } from '../src/backend/network/Network.ts';
import { Health } from '../src/ops/Health.ts';
import { createLog } from '../src/ops/log.ts';
import { Metrics } from '../src/ops/metrics.ts';
import { createTelemetry } from '../src/ops/telemetry.ts';
import type { MessageRequest } from '../src/protocol/wire.ts';
import { QUIET_MS } from '../src/relay/BackfillHold.ts';
import { InboundPump } from '../src/relay/InboundPump.ts';
import { StateStore } from '../src/state/StateStore.ts';
import { systemClock } from '../src/util/Clock.ts';
import { type BenchRow, quantile } from './BenchRow.ts';
import { RecordingBackend } from './RecordingBackend.ts';

const QUEUED = Number(process.env.DRAIN ?? 20_000);
const THREADS = 50;
/** A live message comes every so often meanwhile, ms. */
const LIVE_EVERY_MS = 20;
const TEXT = 'We could meet at six. '.repeat(24);

/** A block of backfill on its way to a backend in this process, and live messages that come meanwhile. */
export async function drain(): Promise<BenchRow[]> {
  const dir = mkdtempSync(join(tmpdir(), 'edge-bench-'));
  const backend = new RecordingBackend();
  await backend.start();
  const store = StateStore.open(join(dir, 'state.db'), Date.now());
  const file = join(dir, 'edge.log');
  const clock = systemClock;
  const log = createLog({ file, level: 'info', format: 'text', maxBytes: 10_000_000, maxFiles: 2, clock });
  const health = new Health({ clock, onChange() {} });
  const telemetry = createTelemetry({ logger: log.logger, metrics: new Metrics(), health, clock });
  const client = new BackendClient({
    baseUrl: `http://127.0.0.1:${backend.port}`,
    agentId: 'edge_15550100001',
    secret: () => 'secret-of-the-benchmark',
    refreshSecret() {},
    requestTimeoutSeconds: 30,
    maxSockets: 32,
    network: new Network({}),
    clock,
  });
  const pump = new InboundPump({
    store,
    clock,
    random: Math.random,
    telemetry,
    post: (request, options) => client.postMessage(request, options),
    acceptCommand() {},
    onSends() {},
    onSettled() {},
    maxInFlightPerThread: 4,
    maxConcurrentRequests: 32,
  });
  try {
    store.transaction(() => {
      for (let index = 0; index < QUEUED; index++) insert(store, index, true);
    });
    pump.start();
    pump.wake(true);
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS - 100));
    const rssBefore = process.memoryUsage.rss();
    const queuedAt = new Map<string, number>();
    let rss = 0;
    let longestMs = 0;
    let tickedAt = performance.now();
    let liveAt = tickedAt;
    let startedAt: number | undefined;
    while (store.inbound.hasBackfill()) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = performance.now();
      longestMs = Math.max(longestMs, now - tickedAt);
      tickedAt = now;
      if (backend.arrivals.size > 0) startedAt ??= now;
      if (now - liveAt < LIVE_EVERY_MS) continue;
      liveAt = now;
      rss = Math.max(rss, process.memoryUsage.rss());
      const guid = store.transaction(() => insert(store, QUEUED + queuedAt.size, false));
      queuedAt.set(guid, Number(process.hrtime.bigint()) / 1e6);
      pump.wake();
    }
    const rate = (QUEUED * 1000) / (performance.now() - startedAt!);
    const waits = [...queuedAt].flatMap(([guid, at]) =>
      backend.arrivals.has(guid) ? backend.arrivals.get(guid)! - at : [],
    );
    const [p50, p99] = [quantile(waits, 0.5), quantile(waits, 0.99)];
    const name = `live message while ${QUEUED} of backfill are handed over`;
    return [
      { name: `${QUEUED} of backfill, handed over`, unit: 'rows/s', goal: '', value: Math.round(rate), ok: true },
      { name, unit: 'ms', goal: 'p50 ≤ 10', value: p50, p50, p99, ok: p50 <= 10 },
      { name: '… longest stop of the event loop', unit: 'ms', goal: '≤ 50', value: longestMs, ok: longestMs <= 50 },
      { name: '… memory on top, at its peak', unit: 'MB', goal: '', value: (rss - rssBefore) / 1e6, ok: true },
    ];
  } finally {
    await pump.stop();
    store.close();
    log.close();
    await backend.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function insert(store: StateStore, index: number, backfill: boolean): string {
  const guid = randomUUID().toUpperCase();
  const thread = `+1555010${String((index % THREADS) + 10).padStart(4, '0')}`;
  const now = Date.now();
  const messageAt = backfill ? now - (QUEUED - index) * 60_000 : now;
  const body: MessageRequest = {
    thread_id: thread,
    sender: thread,
    filtered_text: TEXT,
    message_guid: guid,
    original_timestamp: new Date(messageAt).toISOString(),
    is_group: false,
    participants: [thread],
    chat_guid: `iMessage;-;${thread}`,
    service: 'iMessage',
    was_redacted: false,
    redacted_fields: [],
    filter_reason: '',
    ...(backfill && { backfill: true as const }),
  };
  store.inbound.insert({ guid, epoch: 1, chatRowid: index + 1, threadId: thread, body, backfill, messageAt, now });
  return guid;
}

if (import.meta.main) console.log(await drain());
