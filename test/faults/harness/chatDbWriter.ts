/**
 * Writes messages into a chat.db as a process of its own, which may be killed at any moment:
 * `node chatDbWriter.ts FILE flood EVERY_MS CHECKPOINT_EVERY` one message a commit until its end;
 * `node chatDbWriter.ts FILE hold MESSAGES` takes the database for itself, writes into it and says `held`, and gives it
 * back when its stdin ends. What was committed is in the file, and nowhere else.
 */
import { randomUUID } from 'node:crypto';
import { appleNanoseconds } from '../../../src/simulator/appleTime.ts';
import { ChatDbFile } from '../../../src/simulator/ChatDbFile.ts';
import { ChatRows } from '../../../src/simulator/ChatRows.ts';
import { encodeBody, plainSegments } from '../../../src/simulator/typedstreamEncoder.ts';

const THREADS = 4;
const [path, order, ...numbers] = process.argv.slice(2);
const file = new ChatDbFile({ path: path!, macos: 26 });
file.open();
const rows = new ChatRows(file);
let written = 0;

if (order === 'flood') {
  const [everyMs, checkpointEvery] = numbers.map(Number);
  setInterval(() => {
    file.transaction(write);
    if (written % checkpointEvery! === 0) file.checkpoint();
  }, everyMs);
} else {
  file.get('SELECT count(*) FROM message');
  file.run('BEGIN EXCLUSIVE');
  for (let n = 0; n < Number(numbers[0]); n++) write();
  process.stdout.write('held\n');
  process.stdin.on('end', () => {
    file.run('COMMIT');
    file.close();
  });
  process.stdin.resume();
}

function write(): void {
  const person = `writer${written++ % THREADS}@example.com`;
  const chat = rows.chat({ identifier: person, isGroup: false, service: 'iMessage', participants: [person] });
  const guid = randomUUID().toUpperCase();
  rows.message({
    guid,
    isFromMe: false,
    handle: rows.handle(person, 'iMessage'),
    service: 'iMessage',
    date: appleNanoseconds(Date.now()) + 1n,
    chat,
    text: null,
    body: encodeBody(plainSegments(`written ${guid}`)),
    columns: {},
  });
  rows.join(guid, chat);
}
