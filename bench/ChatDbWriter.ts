import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { attributes, encodeBody, encodeText } from '../test/chatdb/support/typedstreamEncoder.ts';

const CHATS = 200;
/** Date of the first message, seconds since 2001. */
const FIRST_SECOND = 700_000_000;
/** Rows in one transaction: a limit on the -wal, which holds every page of it. */
const COMMIT_ROWS = 50_000;

/** Writes chat.db as Messages does: the row, then its join. */
export class ChatDbWriter {
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

  /** Writes one bubble of ours to a person, 1 to 200, as Messages does. */
  ownMessage(person: number, text: string): void {
    this.#write(1, () => ({ person, isFromMe: 1, body: encodeText(text) }));
  }

  messages(count: number): void {
    this.#write(count, (n) => ({
      person: 1 + (n % CHATS),
      isFromMe: n % 3 === 0 ? 1 : 0,
      body: this.#bodies[n % this.#bodies.length]!,
    }));
  }

  #write(count: number, rowOf: (n: number) => { person: number; isFromMe: 0 | 1; body: Buffer }): void {
    const message = this.db.prepare(
      `INSERT INTO message (guid, handle_id, service, account, destination_caller_id, date, is_from_me, attributedBody)
       VALUES (?, ?, 'iMessage', 'E:me@example.com', '+15550100001', ?, ?, ?)`,
    );
    const join = this.db.prepare('INSERT INTO chat_message_join (chat_id, message_id, message_date) VALUES (?, ?, ?)');
    const write = this.db.transaction((rowsNow: number) => {
      for (let i = 0; i < rowsNow; i++) {
        const n = this.#written++;
        const date = BigInt(FIRST_SECOND + n) * 1_000_000_000n;
        const { person, isFromMe, body } = rowOf(n);
        const guid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
        const { lastInsertRowid } = message.run(guid, person, date, isFromMe, body);
        join.run(person, lastInsertRowid, date);
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
