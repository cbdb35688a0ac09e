import '../src/util/v8Flags.ts'; // first, as src/index.ts does

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChatDb } from '../src/chatdb/ChatDb.ts';
import { Health } from '../src/ops/Health.ts';
import { createLog } from '../src/ops/log.ts';
import { Metrics } from '../src/ops/metrics.ts';
import { createTelemetry } from '../src/ops/telemetry.ts';
import { ChangeWatch } from '../src/relay/ChangeWatch.ts';
import { Intake } from '../src/relay/Intake.ts';
import { createPrivacyFilter } from '../src/relay/privacy.ts';
import { appleNanoseconds } from '../src/simulator/appleTime.ts';
import { ChatDbFile } from '../src/simulator/ChatDbFile.ts';
import { ChatRows } from '../src/simulator/ChatRows.ts';
import { encodeBody, plainSegments } from '../src/simulator/typedstreamEncoder.ts';
import { StateStore } from '../src/state/StateStore.ts';
import { systemClock } from '../src/util/Clock.ts';
import type { BenchRow } from './BenchRow.ts';

const BLOCK = Number(process.env.BLOCK ?? 50_000);
const THREADS = 50;
const MINUTE_MS = 60_000;
/** Mean characters of a text, so that bodies are about as long as those of the decoder's corpus (670 bytes). */
const MEAN_TEXT = 520;
/** No single stop of the event loop may be longer, ms. */
const LIMIT_MS = 50;

/** A block of rows that iCloud brings at once, until the last of them is durably queued; all in this process. */
export async function rows(): Promise<BenchRow[]> {
  const dir = mkdtempSync(join(tmpdir(), 'edge-bench-'));
  try {
    const file = new ChatDbFile({ path: join(dir, 'chat.db'), macos: 26 });
    file.open();
    const meanBytes = fill(file, 1_000, 0);
    const found = await takeIn(file, dir);
    file.close();
    const unit = `rows/s (mean body ${Math.round(meanBytes)} bytes)`;
    return [
      {
        name: `${BLOCK} new rows, durably queued`,
        unit,
        goal: '≥ 20,000',
        value: found.rate,
        ok: found.rate >= 20_000,
      },
      {
        name: '… longest stop of the event loop',
        unit: 'ms',
        goal: `≤ ${LIMIT_MS}`,
        value: found.longestMs,
        ok: found.longestMs <= LIMIT_MS,
      },
      { name: '… CPU time a row, of all threads', unit: 'µs', goal: '', value: found.cpuUs, ok: true },
      { name: '… memory on top, at its peak', unit: 'MB', goal: '', value: found.rssMb, ok: true },
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function takeIn(file: ChatDbFile, dir: string) {
  const log = createLog({
    file: join(dir, 'edge.log'),
    level: 'info',
    format: 'text',
    maxBytes: 10_000_000,
    maxFiles: 2,
    clock: systemClock,
  });
  const telemetry = createTelemetry({
    logger: log.logger,
    metrics: new Metrics(),
    health: new Health({ clock: systemClock, onChange() {} }),
    clock: systemClock,
  });
  const store = StateStore.open(join(dir, 'state.db'), Date.now());
  const db = new ChatDb({ path: file.path });
  const privacy = createPrivacyFilter({ redact: [], denyThreads: [] });
  const shared = { store, clock: systemClock, telemetry, privacy };
  const intake = new Intake({
    ...shared,
    chatDbPath: file.path,
    answerMaxAgeSeconds: 21_600,
    attachmentWaitSeconds: 15,
    onInbound() {},
    onAdmitted: (row) => changes.admitted(row),
    onReadFailed(error) {
      throw error;
    },
  });
  const changes = new ChangeWatch({ ...shared, source: () => db, epoch: () => intake.epoch, onEvents() {} });
  try {
    changes.start();
    intake.opened(db, db.open());
    fill(file, BLOCK, 1_000);
    const last = db.maxRowid();
    spawnSync('sync'); // what Messages wrote is on the disk when the agent comes to it
    const rssBefore = process.memoryUsage.rss();
    let rss = rssBefore;
    let longestMs = 0;
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    let tickedAt = startedAt;
    intake.changed(db);
    changes.chatDbChanged();
    // Between two batches the loop comes by here: what lies between two visits was one stop.
    while (store.epochs.latest()!.cursorRowid < last) {
      await new Promise((resolve) => setImmediate(resolve));
      const now = performance.now();
      longestMs = Math.max(longestMs, now - tickedAt);
      tickedAt = now;
      rss = Math.max(rss, process.memoryUsage.rss());
    }
    const rate = Math.round((BLOCK * 1_000) / (performance.now() - startedAt));
    const cpu = process.cpuUsage(cpuBefore);
    if (store.inbound.counts().pending !== BLOCK) throw new Error(`not all of ${BLOCK} rows were queued`);
    return { rate, longestMs, cpuUs: (cpu.user + cpu.system) / BLOCK, rssMb: (rss - rssBefore) / 1e6 };
  } finally {
    changes.stop();
    intake.stop();
    db.close();
    store.close();
    log.close();
  }
}

/** Messages from `THREADS` people, one every minute up to now, in one commit; the mean size of their bodies, bytes. */
function fill(file: ChatDbFile, count: number, from: number): number {
  const rows = new ChatRows(file);
  const until = Date.now();
  let bytes = 0;
  file.transaction(() => {
    const threads = Array.from({ length: THREADS }, (_, index) => {
      const person = `+1555010${String(index + 10).padStart(4, '0')}`;
      const chat = rows.chat({ identifier: person, isGroup: false, service: 'iMessage', participants: [person] });
      return { chat, handle: rows.handle(person, 'iMessage') };
    });
    for (let index = 0; index < count; index++) {
      const { chat, handle } = threads[index % THREADS]!;
      const text = `${from + index} `.padEnd(MEAN_TEXT / 2 + ((index * 7919) % MEAN_TEXT), 'We could meet at six. ');
      const body = encodeBody(plainSegments(text), { mutable: false });
      bytes += body.length;
      const guid = randomUUID().toUpperCase();
      const date = appleNanoseconds(until - (count - index) * MINUTE_MS) + BigInt(index);
      rows.message({ guid, isFromMe: false, handle, service: 'iMessage', date, text: null, body, columns: {} });
      rows.join(guid, chat);
    }
  });
  return bytes / count;
}

if (import.meta.main) console.log(await rows());
