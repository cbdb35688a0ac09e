import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ChatDb } from '../src/chatdb/ChatDb.ts';
import { attributes, encodeBody, encodeText } from '../test/chatdb/support/typedstreamEncoder.ts';
import { type BenchRow, quantile } from './BenchRow.ts';

const HISTORY = 1_000_000;
const BLOCK = 50_000;
const CHATS = 200;
/** New rows that are found one by one. */
const FINDS = 500;
/** As relay/Intake.ts reads. */
const BATCH_ROWS = 200;
/** Date of the first message, seconds since 2001. */
const FIRST_SECOND = 700_000_000;
const GOAL_MS = 0.3;
const GOAL_ROWS = 20_000;
/** Rows in one transaction: a limit on the -wal, which holds every page of it. */
const COMMIT_ROWS = 50_000;

/** How long it takes to find and read one new row among a million, and how fast a block of new rows is read. */
export async function rows(): Promise<BenchRow[]> {
  const dir = mkdtempSync(join(tmpdir(), 'edge-relay-bench-'));
  try {
    const writer = new Writer(join(dir, 'chat.db'));
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

function find(chatDb: ChatDb, writer: Writer): BenchRow {
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

function read(chatDb: ChatDb, writer: Writer): BenchRow {
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
function revisions(chatDb: ChatDb, writer: Writer): BenchRow {
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

/** Writes chat.db as Messages does: the row, then its join. */
class Writer {
  readonly path: string;
  readonly db: Database.Database;
  readonly #bodies = bodies();
  #written = 0;

  constructor(path: string) {
    this.path = path;
    this.db = new Database(path);
    this.db.pragma('journal_mode = WAL');
    this.db.pragma('cache_size = -262144');
    this.db.exec(readFileSync(join(import.meta.dirname, '../src/simulator/schemas/macos26.sql'), 'utf8'));
    const handle = this.db.prepare(`INSERT INTO handle (id, service) VALUES (?, 'iMessage')`);
    const chat = this.db.prepare(
      `INSERT INTO chat (guid, style, chat_identifier, service_name) VALUES (?, 45, ?, 'iMessage')`,
    );
    const member = this.db.prepare('INSERT INTO chat_handle_join (chat_id, handle_id) VALUES (?, ?)');
    for (let i = 1; i <= CHATS; i++) {
      handle.run(`person${i}@example.com`);
      chat.run(`iMessage;-;person${i}@example.com`, `person${i}@example.com`);
      member.run(i, i);
    }
  }

  /** When a message was written, ms since 1970; negative numbers count from the last. */
  dateAt(index: number): number {
    return 978_307_200_000 + (FIRST_SECOND + this.#written + index) * 1000;
  }

  messages(count: number): void {
    const message = this.db.prepare(
      `INSERT INTO message (guid, handle_id, service, account, destination_caller_id, date, is_from_me, attributedBody)
       VALUES (?, ?, 'iMessage', 'E:me@example.com', '+15550100001', ?, ?, ?)`,
    );
    const join = this.db.prepare('INSERT INTO chat_message_join (chat_id, message_id, message_date) VALUES (?, ?, ?)');
    const write = this.db.transaction((rowsNow: number) => {
      for (let i = 0; i < rowsNow; i++) {
        const n = this.#written++;
        const date = BigInt(FIRST_SECOND + n) * 1_000_000_000n;
        const id = 1 + (n % CHATS);
        const guid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
        const own = n % 3 === 0 ? 1 : 0;
        const { lastInsertRowid } = message.run(guid, id, date, own, this.#bodies[n % this.#bodies.length]);
        join.run(id, lastInsertRowid, date);
      }
    });
    for (let left = count; left > 0; left -= COMMIT_ROWS) write(Math.min(left, COMMIT_ROWS));
  }
}

/** Short and long texts, and one with a mention and a link. */
function bodies(): Buffer[] {
  const sentence = 'We could meet at the station around six, if the train is on time. ';
  const part = attributes({ part: 0 });
  return [
    encodeText('ok'),
    encodeText(sentence),
    encodeText(sentence.repeat(3)),
    encodeText(sentence.repeat(12)),
    encodeText('👍🏽 schön, bis später'),
    encodeBody('Hi @Anna look at example.com/offers', [
      { length: 3, attributes: part },
      { length: 5, attributes: attributes({ part: 0, mention: '+15550100003' }) },
      { length: 9, attributes: part },
      { length: 18, attributes: attributes({ part: 0, link: { url: 'https://example.com/offers' } }) },
    ]),
  ];
}
