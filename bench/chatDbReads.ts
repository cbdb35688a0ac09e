import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChatDb } from '../src/chatdb/ChatDb.ts';
import { type BenchRow, quantile } from './BenchRow.ts';
import { ChatDbWriter } from './ChatDbWriter.ts';

const HISTORY = 1_000_000;
const BLOCK = 50_000;
/** New rows that are found one by one. */
const FINDS = 500;
/** As relay/Intake.ts reads. */
const BATCH_ROWS = 200;
const GOAL_MS = 0.3;
const GOAL_ROWS = 20_000;

/** How long it takes to find and read one new row among a million, and how fast a block of new rows is read. */
export async function rows(): Promise<BenchRow[]> {
  const dir = mkdtempSync(join(tmpdir(), 'edge-relay-bench-'));
  try {
    const writer = new ChatDbWriter(join(dir, 'chat.db'));
    writer.messages(HISTORY);
    const chatDb = new ChatDb({ path: writer.path });
    chatDb.open();
    const measured = [find(chatDb, writer), read(chatDb, writer), revisions(chatDb, writer)];
    chatDb.close();
    writer.db.close();
    return measured;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function find(chatDb: ChatDb, writer: ChatDbWriter): BenchRow {
  const times: number[] = [];
  for (let i = 0; i < FINDS; i++) {
    const cursor = chatDb.maxRowid();
    writer.messages(1);
    const start = performance.now();
    chatDb.dataVersion();
    const found = chatDb.rowsAfter(cursor, BATCH_ROWS);
    times.push(performance.now() - start);
    if (found.length !== 1 || !found[0]?.chat || found[0].text === '') throw new Error('the new row was not found');
  }
  const p50 = quantile(times, 0.5);
  return {
    name: `1 new row in ${HISTORY}, found and decoded`,
    unit: 'ms',
    goal: `p50 ≤ ${GOAL_MS}`,
    value: p50,
    p50,
    p99: quantile(times, 0.99),
    ok: p50 <= GOAL_MS,
  };
}

function read(chatDb: ChatDb, writer: ChatDbWriter): BenchRow {
  let cursor = chatDb.maxRowid();
  writer.messages(BLOCK);
  const start = performance.now();
  const pages: number[] = [];
  let count = 0;
  for (;;) {
    const begun = performance.now();
    const page = chatDb.rowsAfter(cursor, BATCH_ROWS);
    pages.push(performance.now() - begun);
    cursor = page.at(-1)?.rowid ?? cursor;
    count += page.length;
    if (page.length === 0) break;
  }
  const rate = Math.round((count * 1000) / (performance.now() - start));
  return {
    name: `block of ${BLOCK} rows, read and decoded (p50, p99: ms for a page of ${BATCH_ROWS})`,
    unit: 'rows/s',
    goal: `≥ ${GOAL_ROWS}`,
    value: rate,
    p50: quantile(pages, 0.5),
    p99: quantile(pages, 0.99),
    ok: count === BLOCK && rate >= GOAL_ROWS,
  };
}

/** A walk through the window that an outage leaves, in which all of the block was written. */
function revisions(chatDb: ChatDb, writer: ChatDbWriter): BenchRow {
  const window = { sinceAt: writer.dateAt(-BLOCK), fromRowid: chatDb.maxRowid() + 1 };
  const pages: number[] = [];
  let after: string | undefined;
  do {
    const begun = performance.now();
    after = chatDb.revisions(window, after, BATCH_ROWS).examinedTo;
    pages.push(performance.now() - begun);
  } while (after !== undefined);
  const p50 = quantile(pages, 0.5);
  const name = `looking for edits among ${BLOCK} rows, a page`;
  return { name, unit: 'ms', goal: 'p50 ≤ 5', value: p50, p50, p99: quantile(pages, 0.99), ok: p50 <= 5 };
}
