/**
 * The bare floor: watch, one query, POST; nothing durable, nothing decoded, nothing survives.
 * What any reader of chat.db costs at least on this machine.
 */
import { watch } from 'node:fs';
import { Agent, request } from 'node:http';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';

const [path, port] = process.argv.slice(2) as [string, string];
const db = new Database(path, { readonly: true });
const newRows = db.prepare('SELECT ROWID AS rowid, guid FROM message WHERE ROWID > ? ORDER BY ROWID');
let cursor = db.prepare('SELECT coalesce(max(ROWID), 0) FROM message').pluck().get() as number;
const agent = new Agent({ keepAlive: true });

function look(): void {
  for (const row of newRows.all(cursor) as { rowid: number; guid: string }[]) {
    cursor = row.rowid;
    const req = request({ host: '127.0.0.1', port, method: 'POST', path: '/edge/message', agent });
    req.on('response', (response) => response.resume());
    req.on('error', () => {});
    req.setHeader('content-type', 'application/json');
    req.end(JSON.stringify({ message_guid: row.guid }));
  }
}

watch(dirname(path), () => {
  look();
  for (const delay of [2, 10, 50]) setTimeout(look, delay);
});
process.stdout.write('ready\n');
