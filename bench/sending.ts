import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChatDb } from '../src/chatdb/ChatDb.ts';
import { candidates, findReceipt } from '../src/messaging/receipts.ts';
import { StateStore } from '../src/state/StateStore.ts';
import { type BenchRow, quantile } from './BenchRow.ts';
import { ChatDbWriter } from './ChatDbWriter.ts';
import { commandToScript } from './commandToScript.ts';
import { latency } from './latency.ts';
import { rssMegabytes } from './rssMegabytes.ts';
import { Stage, until } from './Stage.ts';

/** Sends that are over, as a busy agent has them after some weeks. */
const PAST_SENDS = 100_000;
const QUEUED = Number(process.env.QUEUED ?? 10_000);
const THREADS = 200;
/** Bubbles that are sent while osascript takes as long as on a fast Mac, ms. */
const PACED = 600;
const SCRIPT_MS = 50;
/** Runs of osascript alone, one after the other, as the floor. */
const FLOOR_RUNS = 100;
const HISTORY = 1_000_000;
const RECEIPTS = 300;
/** Of the RSS, before the queue is filled, ms. */
const SETTLE_MS = 15_000;

/** The figures of sending. */
export async function run(): Promise<BenchRow[]> {
  const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (build.status !== 0) throw new Error('the build failed');
  const floor = await commandToScript('floor');
  const command = await commandToScript('agent', (stage) => pastSends(join(stage.dir, 'state')));
  return [
    latency('command → osascript, bare floor', floor, undefined),
    latency(`command → osascript, ${PAST_SENDS} rows in sends`, command, { p50: 6 }),
    ...(await pace()),
    ...(await drain()),
    matching(),
  ];
}

function pastSends(stateDir: string): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const now = Date.now();
  const store = StateStore.open(join(stateDir, 'state.db'), now);
  store.transaction(() => {
    for (let n = 0; n < PAST_SENDS; n++) {
      const at = now - (PAST_SENDS - n) * 30_000;
      const { sendId } = store.sends.insert({
        key: `command:past-${n}`,
        threadId: threadOf(n),
        text: '',
        bubbleType: 'normal',
        commandId: `past-${n}`,
        now: at,
      });
      store.sends.markSending(sendId, { rowid: n, epoch: 0 }, at);
      store.sends.markConfirmed(sendId, { guid: `PAST-${n}`, rowid: n + 1 }, at);
      store.sends.markDelivered(sendId, at);
    }
  });
  store.close();
}

/** What the agent adds to an osascript that takes some time, as the real one does. */
async function pace(): Promise<BenchRow[]> {
  const stage = await Stage.create({ synchronous: 'NORMAL', history: 0 });
  try {
    await stage.slowDown(SCRIPT_MS);
    const floorMs = await scriptAlone(stage.osascriptPath);
    await stage.startAgent();
    const ms = (await queueAll(stage, PACED, floorMs)) / PACED;
    const ratio = ms / floorMs;
    return [
      { name: `osascript of ${SCRIPT_MS} ms alone, a run`, unit: 'ms', goal: '', value: floorMs, ok: true },
      { name: `${PACED} bubbles by it, a bubble`, unit: 'ms', goal: '', value: ms, ok: true },
      { name: '… to osascript alone', unit: '×', goal: '≤ 1.2', value: ratio, ok: ratio <= 1.2 },
    ];
  } finally {
    await stage.close();
  }
}

/** 10,000 commands at once, and every bubble on its way out by an osascript that takes no time of its own. */
async function drain(): Promise<BenchRow[]> {
  const stage = await Stage.create({ synchronous: 'NORMAL', history: 0 });
  try {
    const floorMs = await scriptAlone(stage.osascriptPath);
    const agent = await stage.startAgent();
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const rssBefore = rssMegabytes(agent.pid!);
    let rss = rssBefore;
    const watching = setInterval(() => {
      rss = Math.max(rss, rssMegabytes(agent.pid!));
    }, 250);
    const ms = (await queueAll(stage, QUEUED, floorMs)) / QUEUED;
    clearInterval(watching);
    const [misordered, missing] = proof([...stage.scriptStarts.keys()]);
    const growth = rss - rssBefore;
    return [
      { name: 'osascript of no time alone, a run', unit: 'ms', goal: '', value: floorMs, ok: true },
      { name: `${QUEUED} bubbles in ${THREADS} threads, a bubble`, unit: 'ms', goal: '', value: ms, ok: true },
      { name: '… not sent', unit: 'bubbles', goal: '0', value: missing, ok: missing === 0 },
      { name: '… out of order or twice', unit: 'bubbles', goal: '0', value: misordered, ok: misordered === 0 },
      { name: '… memory on top, at its peak', unit: 'MB', goal: '< 20', value: growth, ok: growth < 20 },
    ];
  } finally {
    await stage.close();
  }
}

/** Gives so many commands at once; resolves with how long it took until the last osascript was started, ms. */
async function queueAll(stage: Stage, count: number, floorMs: number): Promise<number> {
  const before = stage.scriptStarts.size;
  const begunAt = performance.now();
  for (let n = 0; n < count; n++) {
    const payload = { thread_id: threadOf(n), text: `bubble ${n}` };
    stage.backend.push({ type: 'command', data: { command_id: `d${n}`, command_type: 'send_message_now', payload } });
  }
  await until(() => stage.scriptStarts.size >= before + count, count * floorMs * 5);
  return performance.now() - begunAt;
}

/** The mean of running osascript again and again, ms. */
async function scriptAlone(osascript: string): Promise<number> {
  const begunAt = performance.now();
  for (let n = 0; n < FLOOR_RUNS; n++) {
    const child = spawn(
      osascript,
      ['-l', 'AppleScript', '-', 'participant', '+15550100099', 'iMessage', `floor ${n}`],
      {
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    );
    child.stdin.end('on run argv\nend run\n');
    await new Promise((resolve) => child.once('close', resolve));
  }
  return (performance.now() - begunAt) / FLOOR_RUNS;
}

/** How many of the bubbles, as Messages got them, are not behind the one before in their thread; how many are missing. */
function proof(texts: readonly string[]): [misordered: number, missing: number] {
  const numbers = texts.filter((text) => text.startsWith('bubble ')).map((text) => Number(text.slice(7)));
  const last = new Map<number, number>();
  let misordered = 0;
  for (const n of numbers) {
    const thread = n % THREADS;
    if (n <= (last.get(thread) ?? -1)) misordered += 1;
    last.set(thread, n);
  }
  return [misordered, QUEUED - new Set(numbers).size];
}

/** How long it takes to find the receipt of a bubble among a million messages. */
function matching(): BenchRow {
  const dir = mkdtempSync(join(tmpdir(), 'edge-relay-bench-'));
  const writer = new ChatDbWriter(join(dir, 'chat.db'));
  writer.messages(HISTORY);
  const chatDb = new ChatDb({ path: writer.path });
  chatDb.open();
  const store = StateStore.open(join(dir, 'state.db'), Date.now());
  try {
    const times = Array.from({ length: RECEIPTS }, (_, n) => {
      const threadId = `person${1 + (n % THREADS)}@example.com`;
      const queued = { key: `cli:${n}`, threadId, text: `bubble ${n}`, bubbleType: 'normal' as const };
      const { sendId } = store.sends.insert({ ...queued, now: writer.dateAt(0) });
      store.sends.markSending(sendId, { rowid: chatDb.maxRowid(), epoch: 1 }, writer.dateAt(0));
      const send = store.sends.byId(sendId)!;
      writer.ownMessage(1 + (n % THREADS), send.text);
      const begunAt = performance.now();
      const { rows, previews } = candidates(chatDb, 1, [send], writer.dateAt(0));
      const receipt = findReceipt(send, rows, {
        epoch: 1,
        now: writer.dateAt(0),
        claimed: (guid) => store.sends.claimed(guid),
        previews,
        lastLook: false,
      });
      const ms = performance.now() - begunAt;
      if (!receipt) throw new Error(`the receipt of bubble ${n} was not found`);
      return ms;
    });
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
    const name = `receipt found among ${HISTORY} messages`;
    return { name, unit: 'ms', goal: 'p99 ≤ 1', value: p50, p50, p99, ok: p99 <= 1 };
  } finally {
    chatDb.close();
    store.close();
    writer.db.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function threadOf(n: number): string {
  return `person${1 + (n % THREADS)}@example.com`;
}
