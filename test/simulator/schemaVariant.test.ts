import { describe, expect, it } from 'vitest';
import { readRows } from './readRows.ts';
import { query, simulatedMac } from './simulatedMac.ts';

const from = '+15550100001';
const columnsOf = (path: string, table: string) => query(path, `PRAGMA table_info(${table})`).map(({ name }) => name);

describe('a chat.db with other columns than its macOS makes', () => {
  it.each([12, 13, 15, 26] as const)(
    'lacks some and has others, and is written all the same, on macOS %i',
    async (macos) => {
      const without = [
        'message.item_type',
        'message.associated_message_guid',
        'message.cache_has_attachments',
        'message.reply_to_guid',
        'message.is_read',
        'chat.style',
        'chat.service_name',
        'handle.service',
        'attachment.original_guid',
        'attachment.transfer_state',
        'chat_message_join.message_date',
      ];
      const extra = ['message.sr_ck_record_id', 'message.sr_ck_sync_state INTEGER DEFAULT 0', 'chat.new_in_27'];
      const mac = await simulatedMac({ macos, schema: { without, extra } });
      for (const name of without) {
        const [table, column] = name.split('.') as [string, string];
        expect(columnsOf(mac.chatDbPath, table)).not.toContain(column);
      }
      expect(columnsOf(mac.chatDbPath, 'message')).toEqual(
        expect.arrayContaining(['sr_ck_record_id', 'sr_ck_sync_state']),
      );
      expect(columnsOf(mac.chatDbPath, 'chat')).toContain('new_in_27');

      const guid = mac.people.receive({ from, text: 'hello', attachments: [{ name: 'a.heic', downloadMs: 5 }] });
      await mac.settled();
      mac.people.read(guid);
      mac.people.receive({ from, text: 'hi all', group: { id: 'chat831', participants: [from], name: 'Trip' } });
      mac.groups.change({ from, change: 'renamed', name: 'x', group: { id: 'chat831' } });
      await mac.settled();
      mac.cloud.reinsert(guid);
      mac.chatDb.replace('renumbered');
      const rows = readRows(mac);
      expect(rows.find((row) => row.guid === guid)).toMatchObject({
        handle: from,
        chat: { identifier: from, isGroup: false },
      });
      expect(rows.find(({ text }) => text === 'hi all')).toMatchObject({
        chat: { identifier: 'chat831', isGroup: true },
      });
    },
  );

  it('can lack whole tables', async () => {
    const tables = ['attachment', 'message_attachment_join', 'chat_handle_join'];
    const mac = await simulatedMac({ schema: { without: tables } });
    mac.people.receive({ from, text: 'hello', attachments: [{ name: 'a.heic' }] });
    await mac.settled();
    expect(readRows(mac)).toMatchObject([{ text: '\uFFFChello', attachments: [] }]);
    expect(query(mac.chatDbPath, `SELECT name FROM sqlite_schema WHERE name = 'attachment'`)).toEqual([]);
  });

  it('keeps the indexes and triggers that do not need what is gone', async () => {
    const mac = await simulatedMac({ schema: { without: ['message.is_from_me', 'chat_message_join.message_date'] } });
    const schema = query<{ name: string; sql: string }>(mac.chatDbPath, 'SELECT name, sql FROM sqlite_schema');
    const sqlOf = (name: string) => schema.find((entry) => entry.name === name)?.sql;
    expect(sqlOf('message_idx_is_sent_is_from_me_error')).toContain('(is_sent, error)');
    expect(sqlOf('add_to_deleted_messages')).toBeDefined();
    expect(sqlOf('update_message_date_after_update_on_message')).toBeUndefined();
  });

  it('writes edits without the columns for them', async () => {
    const mac = await simulatedMac({ schema: { without: ['message.date_edited', 'message.message_summary_info'] } });
    const guid = mac.people.receive({ from, text: 'one' });
    mac.people.edit(guid, 'two');
    expect(readRows(mac)).toMatchObject([{ text: 'two', editedAt: undefined, summary: undefined }]);
  });

  it('is refused when there is nothing of such a name', async () => {
    await expect(simulatedMac({ schema: { without: ['message.typo'] } })).rejects.toThrow('no message.typo');
    await expect(simulatedMac({ schema: { extra: ['mesage.new'] } })).rejects.toThrow('no mesage.new');
  });
});
