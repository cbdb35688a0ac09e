/**
 * Writes messages into a chat.db as a process of its own, which may be killed at any moment; they go to the chats that
 * are there. What was committed is in the file, and nowhere else.
 *
 * - `node chatDbWriter.ts FILE flood EVERY_MS CHECKPOINT_EVERY`: one message a commit, until its end; says
 *   `written` after the first.
 * - `node chatDbWriter.ts FILE hold MESSAGES`: takes the database for itself, writes into it, says `held`, and gives it
 *   back when its stdin ends.
 */
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import { appleNanoseconds } from '../../../src/simulator/appleTime.ts';
import { encodeBody, plainSegments } from '../../../src/simulator/typedstreamEncoder.ts';

const [path, order, ...numbers] = process.argv.slice(2);
const db = new Database(path!, { timeout: 60_000 });
const chats = db.prepare('SELECT chat_id AS chat, handle_id AS handle FROM chat_handle_join').all() as {
  chat: number;
  handle: number;
}[];
const insert = db.prepare(
  `INSERT INTO message (guid, attributedBody, handle_id, service, date, is_from_me) VALUES (?, ?, ?, 'iMessage', ?, 0)`,
);
const join = db.prepare('INSERT INTO chat_message_join (chat_id, message_id, message_date) VALUES (?, ?, ?)');
let written = 0;

if (order === 'flood') {
  const [everyMs, checkpointEvery] = numbers.map(Number);
  setInterval(() => {
    db.transaction(write).immediate();
    if (written === 1) process.stdout.write('written\n');
    if (written % checkpointEvery! === 0) db.pragma('wal_checkpoint(TRUNCATE)');
  }, everyMs);
} else {
  db.exec('BEGIN EXCLUSIVE');
  for (let n = 0; n < Number(numbers[0]); n++) write();
  process.stdout.write('held\n');
  process.stdin.on('end', () => {
    db.exec('COMMIT');
    db.close();
  });
  process.stdin.resume();
}

function write(): void {
  const { chat, handle } = chats[written++ % chats.length]!;
  const guid = `WRITTEN-${randomUUID()}`;
  const date = appleNanoseconds(Date.now()) + BigInt(written);
  const { lastInsertRowid } = insert.run(guid, encodeBody(plainSegments(`written ${guid}`)), handle, date);
  join.run(chat, lastInsertRowid, date);
}
