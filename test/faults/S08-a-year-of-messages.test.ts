import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { StateStore } from '../../src/state/StateStore.ts';
import { ANN, type FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';

/** In and out. */
const MESSAGES = settings.isLong ? 1_000_000 : 20_000;
const DAYS = 365;
const DAY_MS = 86_400_000;
const BATCH = 500;
const MAX_FILE_BYTES = 200e6;
const MAX_WAL_BYTES = 16e6;
const MAX_START_MS = 1_000;
/** A schema, and what was freed and not used again yet. */
const SPARE_BYTES = 2e6;

/** A year of messages, each taken in, handed over and answered with one that is delivered, with retention each night. */
function liveThroughAYear(path: string): { file: number; wal: number } {
  const most = { file: 0, wal: 0 };
  const begin = Date.now() - DAYS * DAY_MS;
  const store = StateStore.open(path, begin);
  const text = 'A message of the length that people write, more or less, and an answer to it.';
  for (let day = 0, n = 0; day < DAYS; day++) {
    const now = begin + day * DAY_MS;
    const until = Math.round(((day + 1) * MESSAGES) / 2 / DAYS);
    while (n < until) {
      const end = Math.min(until, n + BATCH);
      store.transaction(() => {
        for (; n < end; n++) oneMore(store, n, text, now);
      });
      most.wal = Math.max(most.wal, statSync(`${path}-wal`).size);
    }
    while (store.prune(now) > 0) most.wal = Math.max(most.wal, statSync(`${path}-wal`).size);
    most.file = Math.max(most.file, statSync(path).size);
  }
  store.close();
  most.file = Math.max(most.file, statSync(path).size);
  return most;
}

function oneMore({ inbound, sends, events }: StateStore, n: number, text: string, now: number): void {
  const threadId = `+1555010${String(n % 100).padStart(4, '0')}`;
  const guid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const body = { thread_id: threadId, sender: threadId, filtered_text: text, message_guid: guid } as never;
  inbound.insert({
    guid,
    epoch: 1,
    chatRowid: n,
    threadId,
    body,
    backfill: false,
    messageAt: now,
    fingerprint: guid,
    now,
  });
  inbound.markDone(guid, now);
  const { sendId, key } = sends.insert({ key: `reply:${guid}:0`, threadId, text, bubbleType: 'normal', now });
  sends.markConfirmed(sendId, { guid: `r-${guid}`, rowid: n }, now);
  sends.markDelivered(sendId, now);
  sends.markRead(sendId, now);
  for (const what of ['sent', 'delivered']) {
    events.insert(
      { event_id: `${what}:${key}`, event_type: 'message_sent', thread_id: threadId, details: { key } },
      now,
    );
    events.ack(`${what}:${key}`, now);
  }
}

/** From the start of the process until it answers `status`, ms. */
async function startMs({ rig }: FaultRun): Promise<number> {
  const at = performance.now();
  rig.agent.start();
  await rig.agent.ready();
  return performance.now() - at;
}

faultTest(`S8 keeps state.db small through ${MESSAGES} delivered messages, and starts with it at once`, {
  startsAgent: false,
  timeoutMs: settings.isLong ? 900_000 : 60_000,
  async fault(run) {
    const path = join(run.rig.path('state'), 'state.db');
    const { file, wal } = liveThroughAYear(path);
    await startMs(run); // the program itself is in the memory of the machine then, as it is of a Mac that runs it
    await run.crash();
    const ms = await startMs(run);
    await run.crash();
    const openedAt = performance.now();
    StateStore.open(path, Date.now()).close();
    const openMs = performance.now() - openedAt;
    run.note = `state.db ${(file / 1e6).toFixed(1)} MB, WAL ${(wal / 1e6).toFixed(1)} MB, start ${Math.round(ms)} ms, ${Math.round(openMs)} of them for state.db`;
    await run.restart();
    expect(file).toBeLessThan((MAX_FILE_BYTES * MESSAGES) / 1_000_000 + SPARE_BYTES);
    expect(wal).toBeLessThan(MAX_WAL_BYTES);
    // The rest of the start is that of Node, whatever state.db holds; the report has both.
    expect(openMs).toBeLessThan(MAX_START_MS * settings.patience);
    await run.both(ANN);
  },
});
