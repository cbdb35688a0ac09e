// A process that writes chat.db as Messages does: runs each line of stdin as SQL and answers `done`.
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';

const db = new Database(process.env.CHATDB!);
db.pragma('synchronous = FULL');
for await (const sql of createInterface({ input: process.stdin })) {
  db.exec(sql);
  console.log('done');
}
db.close();
