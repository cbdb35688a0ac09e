import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import type { SimulatedMac } from '../../src/simulator/SimulatedMac.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { readRows } from './readRows.ts';
import { query, run, simulatedMac } from './simulatedMac.ts';

const sendFile = (mac: SimulatedMac, path: string) =>
  run(mac.osascriptPath, ['-', 'participant', '+15550100001', 'iMessage', path, 'file'], {
    input: 'tell application "Messages" to send',
  });

function put(mac: SimulatedMac, place: string): string {
  const path = join(dirname(dirname(dirname(mac.chatDbPath))), place);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'a file');
  return path;
}

it('sends a file that lies where Messages may read', async () => {
  const mac = await simulatedMac();
  const path = put(mac, 'Library/Messages/Attachments/edge-agent/1/note.txt');
  expect(await sendFile(mac, path)).toMatchObject({ code: 0, stderr: '' });
  const sha256 = createHash('sha256').update('a file').digest('hex');
  expect(mac.messages.effects).toMatchObject([{ text: '', file: { name: 'note.txt', bytes: 6, sha256 } }]);
  await mac.settled();
  const [row] = readRows(mac);
  expect(row).toMatchObject({ isFromMe: true, text: '\ufffc', isSent: true, isDelivered: true, error: 0 });
  const [attachment] = row!.attachments;
  expect(attachment).toMatchObject({ name: 'note.txt', sizeBytes: 6, transferState: 'finished' });
  expect(attachment!.path).toBe('~/Library/Messages/Attachments/edge-agent/1/note.txt');
});

it('joins the file to its row in a commit of its own', async () => {
  const mac = await simulatedMac({ delays: { joinMs: 5, attachmentMs: 40 } });
  await sendFile(mac, put(mac, 'Pictures/a.png'));
  const joins = () =>
    query(
      mac.chatDbPath,
      'SELECT (SELECT count(*) FROM chat_message_join) AS chats, (SELECT count(*) FROM message_attachment_join) AS files',
    )[0];
  await waitFor('the chat', () => joins()!.chats === 1);
  expect(joins()).toEqual({ chats: 1, files: 0 });
  await mac.settled();
  expect(joins()).toEqual({ chats: 1, files: 1 });
});

it.each([
  ['outside of its sandbox', (mac: SimulatedMac) => put(mac, 'Desktop/a.txt')],
  ['that is not there', (mac: SimulatedMac) => join(dirname(put(mac, 'Pictures/a.txt')), 'gone.txt')],
  [
    'to which a link in its sandbox leads',
    (mac: SimulatedMac) => {
      const outside = join(tempDir(), 'a.txt');
      writeFileSync(outside, 'x');
      const link = `${put(mac, 'Pictures/a.txt')}.link`;
      symlinkSync(outside, link);
      return link;
    },
  ],
])('says of a file %s that it took it, and marks the row with error 25', async (_what, place) => {
  const mac = await simulatedMac();
  expect(await sendFile(mac, place(mac))).toMatchObject({ code: 0, stderr: '' });
  await mac.settled();
  expect(mac.messages.effects).toEqual([]);
  expect(readRows(mac)).toMatchObject([{ error: 25, isSent: false, attachments: [{ transferState: 'failed' }] }]);
});
