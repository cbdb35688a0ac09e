import { describe, expect, it } from 'vitest';
import { readRows } from './readRows.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const from = '+15550100001';
const DATES = 'SELECT CAST(date AS TEXT) AS date, guid FROM message ORDER BY ROWID';

describe('a message that iCloud writes again', () => {
  it('is the same under another ROWID', async () => {
    const mac = await simulatedMac();
    const guid = mac.people.receive({ from, text: 'hello', attachments: [{ name: 'a.heic' }] });
    await mac.settled();
    const [before] = readRows(mac);
    expect(mac.cloud.reinsert(guid)).toBe(guid);
    const after = readRows(mac);
    expect(after).toMatchObject([{ ...before, rowid: 2 }]);
    expect(after[0]!.attachments).toEqual(before!.attachments);
    expect(query(mac.chatDbPath, 'SELECT guid FROM deleted_messages')).toEqual([{ guid }]);
  });

  it('can have another guid, in place of the first or beside it, and the same date to the last digit', async () => {
    const mac = await simulatedMac();
    const guid = mac.people.receive({ from, text: 'hello' });
    await mac.settled();
    const [{ date }] = query(mac.chatDbPath, DATES) as [{ date: string }];
    mac.cloud.reinsert(guid, { guid: 'SECOND' });
    mac.cloud.copy('SECOND', { guid: 'THIRD' });
    expect(query(mac.chatDbPath, DATES)).toEqual([
      { date, guid: 'SECOND' },
      { date, guid: 'THIRD' },
    ]);
    expect(readRows(mac).map(({ chat, text }) => [chat?.identifier, text])).toEqual([
      [from, 'hello'],
      [from, 'hello'],
    ]);
    expect(() => mac.cloud.copy('NOBODY')).toThrow('no message NOBODY');
  });
});

describe('a block of the past', () => {
  it('has fresh ROWIDs and the dates of then, complete in one commit', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from, text: 'now' });
    const threads = [from, '+15550100002'];
    const guids = mac.cloud.backfillBlock({ messages: 10, olderMs: 3_600_000, threads, ownShare: 0.3 });
    const rows = readRows(mac).slice(1);
    expect(rows.map(({ guid }) => guid)).toEqual(guids);
    expect(rows.every(({ chat, dateAt }) => chat && Date.now() - dateAt! >= 3_600_000)).toBe(true);
    expect(rows.filter(({ isFromMe }) => isFromMe)).toHaveLength(3);
    expect(new Set(rows.map(({ chat }) => chat!.identifier))).toEqual(new Set(threads));
    const dates = rows.map(({ dateAt }) => dateAt!);
    expect(dates).toEqual(dates.toSorted((a, b) => a - b));
  });

  it('can come in no order, the same for the same seed', async () => {
    const mac = await simulatedMac();
    const texts = (seed: number) => {
      const guids = mac.cloud.backfillBlock({ messages: 20, shuffled: true, seed });
      return readRows(mac)
        .filter(({ guid }) => guids.includes(guid))
        .map(({ text }) => text);
    };
    const first = texts(1);
    expect(first).not.toEqual(first.toSorted());
    expect(texts(1)).toEqual(first);
    expect(texts(2)).not.toEqual(first);
    expect(texts(3).toSorted()).toEqual(first.toSorted());
  });

  it('can trickle in, a commit each', async () => {
    const mac = await simulatedMac();
    const guids = mac.cloud.backfillBlock({ messages: 3, everyMs: 20 });
    expect(readRows(mac).length).toBeLessThan(3);
    await mac.settled();
    expect(readRows(mac).map(({ guid }) => guid)).toEqual(guids);
  });
});

describe('the chats of one person', () => {
  it('can be several, by prefix, and a message can be in two', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from, text: 'a', chatPrefix: 'iMessage' });
    mac.people.receive({ from, text: 'b', chatPrefix: 'SMS', service: 'SMS' });
    const guid = mac.people.receive({ from, text: 'c' });
    await mac.settled();
    mac.people.alsoIn(guid, { from, chatPrefix: 'SMS', service: 'SMS' });
    expect(readRows(mac).map(({ chat }) => chat!.guid)).toEqual([
      `iMessage;-;${from}`,
      `SMS;-;${from}`,
      `any;-;${from}`,
    ]);
    expect(query(mac.chatDbPath, 'SELECT * FROM chat_message_join WHERE message_id = 3')).toHaveLength(2);
  });

  it('keep their ROWID when an upgrade gives them another prefix, and are used further', async () => {
    const mac = await simulatedMac({ macos: 15 });
    mac.people.receive({ from, text: 'before' });
    await mac.settled();
    mac.cloud.changePrefix(from, 'any');
    mac.people.receive({ from, text: 'after' });
    await mac.settled();
    expect(query(mac.chatDbPath, 'SELECT ROWID AS rowid, guid FROM chat')).toEqual([
      { rowid: 1, guid: `any;-;${from}` },
    ]);
    expect(readRows(mac).map(({ chat }) => chat!.guid)).toEqual([`any;-;${from}`, `any;-;${from}`]);
  });
});
