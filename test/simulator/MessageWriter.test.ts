import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRows } from './readRows.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const from = '+15550100001';

describe('the date of a message', () => {
  it('is no other’s, and no whole second, however many come in one ms', async () => {
    const mac = await simulatedMac();
    mac.people.receiveMany(Array.from({ length: 500 }, (_, index) => ({ from, text: `${index}` })));
    const dates = query<{ date: string }>(mac.chatDbPath, 'SELECT CAST(date AS TEXT) AS date FROM message');
    expect(new Set(dates.map(({ date }) => date)).size).toBe(500);
    expect(dates.filter(({ date }) => date.endsWith('000000000'))).toEqual([]);
  });

  it('is a whole second for an SMS', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from, text: 'sms', service: 'SMS' });
    expect(readRows(mac)[0]!.rawDate).toMatch(/000000000$/);
  });
});

describe('a message that answers another', () => {
  it('names it, and always the message before it in the chat', async () => {
    const mac = await simulatedMac();
    const first = mac.people.receive({ from, text: 'one' });
    const second = mac.people.receive({ from, text: 'two' });
    mac.people.receive({ from: '+15550100002', text: 'elsewhere' });
    mac.people.receive({ from, text: 'to one', replyTo: first, replyPart: 1 });
    expect(readRows(mac)).toMatchObject([
      { previousGuid: undefined, replyToGuid: undefined },
      { previousGuid: first, replyToGuid: undefined },
      { previousGuid: undefined },
      { previousGuid: second, replyToGuid: first },
    ]);
    expect(query(mac.chatDbPath, 'SELECT thread_originator_part AS part FROM message')[3]).toEqual({ part: '1:0:6' });
  });

  it('knows the message before it although the Mac was off in between', async () => {
    const mac = await simulatedMac();
    const first = mac.people.receive({ from, text: 'one' });
    await mac.settled();
    await mac.close();
    const again = await simulatedMac({ dir: join(mac.binPath, '..') });
    again.people.receive({ from, text: 'two' });
    expect(readRows(again)[1]).toMatchObject({ previousGuid: first });
  });
});

describe('an attachment', () => {
  const fileOf = (mac: { attachmentsPath: string }, path: string) =>
    join(mac.attachmentsPath, path.replace('~/Library/Messages/Attachments', ''));

  it('can take its time: the file and the state come later, the size is known before', async () => {
    const mac = await simulatedMac();
    mac.people.receiveMany([{ from, attachments: [{ name: 'a.mov', content: 'pixels', downloadMs: 20 }] }]);
    const [early] = readRows(mac)[0]!.attachments;
    expect(early).toMatchObject({ transferState: 'pending', sizeBytes: 6 });
    expect(existsSync(fileOf(mac, early!.path!))).toBe(false);
    await mac.settled();
    expect(readRows(mac)[0]!.attachments).toMatchObject([{ transferState: 'finished', sizeBytes: 6 }]);
    expect(existsSync(fileOf(mac, early!.path!))).toBe(true);
  });

  it('can wait for ever, or fail', async () => {
    const mac = await simulatedMac();
    const attachments = [
      { name: 'waits', missing: true },
      { name: 'never', downloadMs: 'never' },
      { name: 'underway', transferState: 3 },
      { name: 'failed', transferState: 6 },
    ] as const;
    mac.people.receive({ from, attachments });
    await mac.settled();
    const rows = query(mac.chatDbPath, 'SELECT transfer_name AS name, transfer_state AS state FROM attachment');
    expect(rows.map(({ name, state }) => [name, state])).toEqual([
      ['waits', 0],
      ['never', 0],
      ['underway', 3],
      ['failed', 6],
    ]);
    const paths = readRows(mac)[0]!.attachments.map(({ path }) => fileOf(mac, path!));
    expect(paths.filter((path) => existsSync(path))).toEqual([]);
  });
});

describe('a voice note', () => {
  it('is a file, and its transcript an attribute that can come later', async () => {
    const mac = await simulatedMac();
    mac.people.receiveMany([{ from, audio: { transcript: 'call me', transcriptMs: 20 } }]);
    const transcripts = () =>
      readRows(mac)[0]!.body!.runs.map(({ attributes }) => attributes.get('IMAudioTranscription'));
    expect(readRows(mac)).toMatchObject([
      { isAudio: true, text: '\uFFFC', attachments: [{ name: 'Audio Message.caf' }] },
    ]);
    expect(transcripts()).toEqual([undefined]);
    await mac.settled();
    expect(transcripts()).toEqual(['call me']);
  });
});

describe('a row that is not yet what it will be', () => {
  it('is cut first and whole later', async () => {
    const mac = await simulatedMac({ macos: 12 });
    mac.people.receive({ from, text: 'a long story', cutTo: 6, bodyMs: 20 });
    const texts = () => query(mac.chatDbPath, 'SELECT text FROM message');
    expect([texts(), readRows(mac)[0]!.text]).toEqual([[{ text: 'a long' }], 'a long']);
    await mac.settled();
    expect([texts(), readRows(mac)[0]!.text]).toEqual([[{ text: 'a long story' }], 'a long story']);
  });

  it('is somebody else’s first and one’s own later', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from, text: 'typed', fromMe: true, fromMeMs: 20 });
    expect(readRows(mac)[0]!.isFromMe).toBe(false);
    await mac.settled();
    expect(readRows(mac)[0]!.isFromMe).toBe(true);
  });
});

it('comes by satellite as iMessageLite, with the columns its macOS has', async () => {
  const mac = await simulatedMac();
  mac.people.receive({ from, text: 'help', satellite: true });
  mac.people.receive({ from, text: 'on my way', satellite: true, fromMe: true });
  const columns = 'SELECT service, is_stewie, is_pending_satellite_send AS pending, is_sent FROM message';
  expect(query(mac.chatDbPath, columns)).toEqual([
    { service: 'iMessageLite', is_stewie: 1, pending: 0, is_sent: 0 },
    { service: 'iMessageLite', is_stewie: 1, pending: 1, is_sent: 0 },
  ]);
  const old = await simulatedMac({ macos: 12 });
  old.people.receive({ from, text: 'help', satellite: true });
  expect(readRows(old)).toMatchObject([{ service: 'iMessageLite' }]);
});

it.each(['22395', 'urn:biz:7b2b1b5e-0000-4000-8000-000000000000', 'ann@example.com'])(
  'comes from %s',
  async (sender) => {
    const mac = await simulatedMac();
    mac.people.receive({ from: sender, text: 'hello', service: 'RCS' });
    await mac.settled();
    expect(readRows(mac)).toMatchObject([{ handle: sender, service: 'RCS', chat: { identifier: sender } }]);
  },
);
