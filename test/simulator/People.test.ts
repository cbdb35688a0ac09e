import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const INBOUND = `
  SELECT m.ROWID AS rowid, m.guid, m.text, m.attributedBody AS body, m.service, m.is_from_me, m.date, h.id AS handle,
    c.guid AS chat, c.style, c.service_name, m.cache_roomnames, m.cache_has_attachments, j.message_date
  FROM message m LEFT JOIN handle h ON h.ROWID = m.handle_id
    LEFT JOIN chat_message_join j ON j.message_id = m.ROWID LEFT JOIN chat c ON c.ROWID = j.chat_id ORDER BY m.ROWID`;

const from = '+15550100001';

describe('a message that arrives', () => {
  it('is a row without a chat first, and has it some ms later', async () => {
    const mac = await simulatedMac();
    const guid = mac.people.receive({ from, text: 'hello', dateAt: Date.UTC(2026, 0, 1) });
    const [early] = query(mac.chatDbPath, INBOUND);
    expect(early).toMatchObject({ guid, text: null, service: 'iMessage', is_from_me: 0, handle: from, chat: null });
    expect((early!.body as Buffer).includes('hello')).toBe(true);
    await mac.settled();
    const date = (Date.UTC(2026, 0, 1) - Date.UTC(2001, 0, 1)) * 1e6;
    expect(query(mac.chatDbPath, INBOUND)).toMatchObject([
      { chat: `any;-;${from}`, style: 45, date, message_date: date, cache_roomnames: null },
    ]);
  });

  it('belongs to a group with its members', async () => {
    const mac = await simulatedMac();
    const participants = [from, '+15550100002'];
    mac.people.receive({ from, text: 'hi all', group: { id: 'chat831', participants, name: 'Trip' } });
    await mac.settled();
    expect(query(mac.chatDbPath, INBOUND)).toMatchObject([
      { chat: 'any;+;chat831', style: 43, cache_roomnames: 'chat831', handle: from },
    ]);
    const members = 'SELECT h.id FROM chat_handle_join JOIN handle h ON h.ROWID = handle_id ORDER BY h.ROWID';
    expect(query(mac.chatDbPath, members).map(({ id }) => id)).toEqual(participants);
  });

  it.each([
    [12, 'SMS;-;+15550100001', 'hello'],
    [13, 'SMS;-;+15550100001', null],
    [15, 'SMS;-;+15550100001', null],
    [26, 'any;-;+15550100001', null],
  ] as const)('names its chat and fills text as macOS %i does', async (macos, chat, text) => {
    const mac = await simulatedMac({ macos });
    mac.people.receive({ from, text: 'hello', service: 'SMS' });
    await mac.settled();
    expect(query(mac.chatDbPath, INBOUND)).toMatchObject([{ chat, text, service_name: 'SMS' }]);
  });

  it('shows its attachments last', async () => {
    const mac = await simulatedMac({ delays: { joinMs: 3, attachmentMs: 20 } });
    const photo = { name: 'photo.heic', mimeType: 'image/heic', content: 'pixels' };
    mac.people.receive({ from, text: 'look', attachments: [photo, { name: 'gone.mov', missing: true }] });
    await waitFor('the chat', () => query(mac.chatDbPath, INBOUND)[0]!.chat);
    expect(query(mac.chatDbPath, INBOUND)).toMatchObject([{ cache_has_attachments: 0 }]);
    await mac.settled();
    expect(query(mac.chatDbPath, INBOUND)).toMatchObject([{ cache_has_attachments: 1 }]);
    const files = query(
      mac.chatDbPath,
      `SELECT a.* FROM message_attachment_join JOIN attachment a ON a.ROWID = attachment_id ORDER BY a.ROWID`,
    );
    expect(files).toMatchObject([
      { transfer_name: 'photo.heic', mime_type: 'image/heic', total_bytes: 6, transfer_state: 5, is_outgoing: 0 },
      { transfer_name: 'gone.mov', mime_type: 'application/octet-stream' },
    ]);
    const paths = files.map(({ filename }) => (filename as string).replace('~/Library/Messages/Attachments', ''));
    expect(paths.map((path) => existsSync(join(mac.attachmentsPath, path)))).toEqual([true, false]);
  });

  it('can come without its text, its sender or its chat, and get them later or never', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from, text: 'late', bodyMs: 20, handleMs: 10 });
    mac.people.receive({ from, text: 'lost', joinMs: 'never' });
    expect(query(mac.chatDbPath, INBOUND)[0]).toMatchObject({ body: null, text: null, handle: null });
    await mac.settled();
    const [late, lost] = query(mac.chatDbPath, INBOUND);
    expect(late).toMatchObject({ handle: from, chat: `any;-;${from}` });
    expect((late!.body as Buffer).includes('late')).toBe(true);
    expect(lost).toMatchObject({ handle: from, chat: null });
  });

  it('can carry a damaged body, none, or a text column of its own', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from, body: Buffer.from('garbage').toString('base64') });
    mac.people.receive({ from, text: 'plain', body: null, textColumn: true });
    mac.people.receive({ from, body: null, columns: { item_type: 2, group_title: 'New name' } });
    const rows = query(mac.chatDbPath, 'SELECT text, attributedBody AS body, item_type, group_title FROM message');
    expect(rows).toMatchObject([
      { body: Buffer.from('garbage') },
      { text: 'plain', body: null },
      { item_type: 2, group_title: 'New name' },
    ]);
  });

  it('can be one of one’s own, written by hand, and is then no effect of osascript', async () => {
    const mac = await simulatedMac();
    mac.people.receive({ from, text: 'typed', fromMe: true });
    expect(query(mac.chatDbPath, INBOUND)).toMatchObject([{ is_from_me: 1, handle: from }]);
    expect(mac.messages.effects).toEqual([]);
  });

  it('stays as it is when the Mac is turned off before the rest is written', async () => {
    const mac = await simulatedMac({ delays: { joinMs: 600_000 } });
    mac.people.receive({ from, text: 'hello' });
    await mac.close();
    expect(query(mac.chatDbPath, INBOUND)).toMatchObject([{ handle: from, chat: null }]);
  });

  it('is complete when it comes in one commit with many', async () => {
    const mac = await simulatedMac();
    const messages = Array.from({ length: 500 }, (_, index) => ({
      from: `+15550100${String(index % 50).padStart(3, '0')}`,
      text: `message ${index}`,
    }));
    const guids = mac.people.receiveMany(messages);
    const rows = query(mac.chatDbPath, INBOUND);
    expect(rows.map(({ guid }) => guid)).toEqual(guids);
    expect(rows.filter(({ chat }) => chat === null)).toEqual([]);
    expect(new Set(rows.map(({ chat }) => chat)).size).toBe(50);
  });
});

describe('what people do to messages', () => {
  it('is a tapback: a row of its own that replaces the one before', async () => {
    const mac = await simulatedMac();
    const target = mac.people.receive({ from, text: 'hello' });
    await mac.settled();
    mac.people.react({ from, target, kind: 'love' });
    mac.people.react({ from, target, kind: 'emoji', emoji: '🦊', part: 1 });
    const last = mac.people.react({ from, target, kind: 'love', removed: true });
    await mac.settled();
    const rows = query(
      mac.chatDbPath,
      `SELECT guid, associated_message_guid AS target, associated_message_type AS type, associated_message_emoji AS emoji
       FROM message m JOIN chat_message_join ON message_id = m.ROWID WHERE m.associated_message_type > 0 ORDER BY m.ROWID`,
    );
    expect(rows).toMatchObject([
      { target: `p:1/${target}`, type: 2006, emoji: '🦊' },
      { guid: last, target: `p:0/${target}`, type: 3000, emoji: null },
    ]);
    expect(query(mac.chatDbPath, 'SELECT guid FROM deleted_messages')).toHaveLength(1);
  });

  it('changes the row in place: an edit, an unsend, a read', async () => {
    const mac = await simulatedMac();
    const [edited, unsent, read] = ['one', 'two', 'three'].map((text) => mac.people.receive({ from, text }));
    mac.people.edit(edited!, 'changed');
    mac.people.unsend(unsent!);
    mac.people.read(read!);
    const [first, second, third] = query(
      mac.chatDbPath,
      `SELECT text, attributedBody AS body, date_edited > 0 AS edited, is_empty, part_count, is_read, date_read > 0 AS hasRead
       FROM message ORDER BY ROWID`,
    );
    expect(first).toMatchObject({ text: null, edited: 1, is_empty: 0 });
    expect((first!.body as Buffer).includes('changed')).toBe(true);
    expect(second).toMatchObject({ body: null, edited: 1, is_empty: 1, part_count: 0 });
    expect(third).toMatchObject({ is_read: 1, hasRead: 1 });
  });

  it('fails when there is no such message', async () => {
    const mac = await simulatedMac();
    expect(() => mac.people.edit('NOBODY', 'x')).toThrow('no message NOBODY');
    expect(() => mac.people.react({ from, target: 'NOBODY', kind: 'like' })).toThrow('no message NOBODY');
  });
});
