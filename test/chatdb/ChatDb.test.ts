import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChatDb } from '../../src/chatdb/ChatDb.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { chatRow } from '../support/chatRow.ts';
import { tempDir } from '../support/tempDir.ts';
import { appleNs, ChatDbFile } from './support/chatDbFile.ts';
import { keeping, type SchemaVariant, variants } from './support/schemaVariants.ts';
import { attributes, encodeBody, encodeText } from './support/typedstreamEncoder.ts';

const NEWEST: SchemaVariant = { title: 'macOS 26', macos: 26, without: [], extra: [] };
const BODY = 'message.attributedBody';
const TEXT = 'message.text';
const CHAT = ['chat.style', 'chat.service_name', 'message.service'];
const ATTACHMENT = [
  'message.cache_has_attachments',
  'attachment.filename',
  'attachment.mime_type',
  'attachment.transfer_name',
  'attachment.total_bytes',
  'attachment.hide_attachment',
];
const FLAGS = [
  'message.is_sent',
  'message.is_delivered',
  'message.is_read',
  'message.error',
  'message.thread_originator_guid',
  'message.item_type',
  'message.associated_message_type',
];
const JAN_1 = Date.UTC(2026, 0, 1);

/** A chat.db of the variant, which keeps the columns that are named. */
function build(variant: SchemaVariant = NEWEST, ...needs: readonly string[]): { file: ChatDbFile; open: () => ChatDb } {
  const file = new ChatDbFile(join(tempDir(), 'chat.db'), keeping(variant, ...needs));
  onTestFinished(() => file.close());
  return {
    file,
    open: () => {
      const chatDb = new ChatDb({ path: file.path });
      chatDb.open();
      onTestFinished(() => chatDb.close());
      return chatDb;
    },
  };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof EdgeError) return error.code;
    throw error;
  }
  return 'none';
}

describe.each(variants())('ChatDb rows on $title', (variant) => {
  it('brings a message with its sender, chat and text', () => {
    const { file, open } = build(variant, BODY, ...CHAT);
    const anna = file.handle('+15550100002');
    const chatId = file.chat('+15550100002', [anna]);
    const rowid = file.message('A-1', { handle_id: anna, attributedBody: encodeText('hello') }, chatId);
    expect(open().rowsAfter(0, 10)).toEqual([
      chatRow({
        rowid,
        guid: 'A-1',
        dateAt: JAN_1,
        rawDate: String(appleNs(JAN_1)),
        handle: '+15550100002',
        chat: {
          guid: 'iMessage;-;+15550100002',
          identifier: '+15550100002',
          isGroup: false,
          service: 'iMessage',
          participants: ['+15550100002'],
        },
        text: 'hello',
        body: expect.objectContaining({ text: 'hello' }),
        bodyBytes: encodeText('hello').length,
      }),
    ]);
  });

  it('prefers the attributedBody to a text column that was cut', () => {
    const { file, open } = build(variant, BODY, TEXT);
    file.message('A-1', { text: 'hel', attributedBody: encodeText('hello') });
    file.message('A-2', { text: 'text only' });
    file.message('A-3', {});
    expect(
      open()
        .rowsAfter(0, 10)
        .map((row) => [row.text, row.bodyBytes > 0]),
    ).toEqual([
      ['hello', true],
      ['text only', false],
      ['', false],
    ]);
  });

  it('brings a row whose body cannot be decoded, with the reason and the text column', () => {
    const { file, open } = build(variant, BODY, TEXT);
    file.message('A-1', { text: 'fallback', attributedBody: Buffer.from('garbage') });
    file.message('A-2', { text: null, attributedBody: encodeText('sound').subarray(0, -9) });
    const [garbage, damaged] = open().rowsAfter(0, 10);
    expect(garbage).toMatchObject({
      text: 'fallback',
      body: undefined,
      bodyBytes: 7,
      decodeError: 'not a typedstream',
    });
    expect(damaged).toMatchObject({ text: 'sound', body: { text: 'sound' }, decodeError: expect.any(String) });
  });

  it('brings rows that are not joined to a chat or handle yet', () => {
    const { file, open } = build(variant);
    file.message('A-1', { text: 'early', handle_id: 99 });
    expect(open().rowsAfter(0, 10)).toMatchObject([{ guid: 'A-1', chat: undefined, handle: undefined }]);
  });

  it('brings names that are no text, as a damaged row may have, as text', () => {
    const { file, open } = build(variant, TEXT, ...CHAT);
    const handle = file.insert('handle', { id: Buffer.from('+15550100002'), service: 'iMessage' });
    const chatId = file.chat('+15550100002', [handle]);
    file.db.prepare('UPDATE chat SET guid = CAST(guid AS BLOB), chat_identifier = CAST(chat_identifier AS BLOB)').run();
    const rowid = file.message('A-1', { handle_id: handle, service: Buffer.from('SMS') }, chatId);
    file.db.prepare('UPDATE message SET guid = CAST(guid AS BLOB)').run();
    const chatDb = open();
    expect(chatDb.rowsAfter(0, 10)).toMatchObject([
      {
        guid: 'A-1',
        handle: '+15550100002',
        service: 'SMS',
        chat: { guid: 'iMessage;-;+15550100002', identifier: '+15550100002', participants: ['+15550100002'] },
      },
    ]);
    expect(chatDb.guidAt(rowid)).toBe('A-1');
  });

  it('brings a message in two chats once, with the chat it was joined to first', () => {
    const { file, open } = build(variant);
    const second = file.chat('+15550100003', []);
    const first = file.chat('+15550100002', []);
    const rowid = file.message('A-1', { text: 'twice' }, first);
    file.insert('chat_message_join', { chat_id: second, message_id: rowid });
    expect(
      open()
        .rowsAfter(0, 10)
        .map((row) => row.chat?.identifier),
    ).toEqual(['+15550100002']);
  });

  it('names each member of a group once, although a member has a handle for each service', () => {
    const { file, open } = build(variant, ...CHAT);
    const members = [
      file.handle('+15550100002', 'iMessage'),
      file.handle('+15550100002', 'SMS'),
      file.handle('b@example.com'),
    ];
    file.message('A-1', { text: 'all' }, file.chat('chat831', members));
    expect(open().rowsAfter(0, 10)[0]?.chat).toEqual({
      guid: 'iMessage;+;chat831',
      identifier: 'chat831',
      isGroup: true,
      service: 'iMessage',
      participants: ['+15550100002', 'b@example.com'],
    });
  });

  it('brings attachments in the order they were joined, by flag or by placeholder', () => {
    const { file, open } = build(variant, BODY, ...ATTACHMENT);
    const flagged = file.message('A-1', { text: null });
    file.attachment(flagged, 'at_0', { transfer_name: 'a.jpg', mime_type: 'image/jpeg', total_bytes: 7 });
    file.attachment(flagged, 'at_1', { filename: '~/Library/Messages/Attachments/b.pdf' });
    const body = encodeBody('\ufffc', [{ length: 1, attributes: attributes({ part: 0, attachment: 'at_2' }) }]);
    file.attachment(file.message('A-2', { attributedBody: body }), 'at_2');
    file.db.exec(`UPDATE message SET cache_has_attachments = 0 WHERE guid = 'A-2'`);
    const [first, second] = open().rowsAfter(0, 10);
    expect(first?.attachments).toMatchObject([
      { guid: 'at_0', name: 'a.jpg', mimeType: 'image/jpeg', sizeBytes: 7 },
      { guid: 'at_1', name: 'b.pdf', mimeType: 'application/pdf', sizeBytes: 0 },
    ]);
    expect(second?.attachments.map((attachment) => attachment.guid)).toEqual(['at_2']);
  });

  it.each([
    ['nanoseconds', appleNs(JAN_1) + 999_999n, JAN_1],
    ['seconds, as before macOS 10.13', (JAN_1 - 978_307_200_000) / 1000, JAN_1],
    ['0', 0, undefined],
    ['NULL', null, undefined],
    ['a negative number', -5, undefined],
    ['the largest integer', 2n ** 63n - 1n, undefined],
    ['the smallest integer', -(2n ** 63n), undefined],
    ['no number', 'soon', undefined],
  ])('reads a date given as %s', (_name, date, expected) => {
    const { file, open } = build(variant);
    file.message('A-1', { date });
    expect(open().rowsAfter(0, 10)[0]?.dateAt).toBe(expected);
  });

  it('reads the flags of an own row', () => {
    const { file, open } = build(variant, ...FLAGS);
    file.message('A-1', {
      is_from_me: 1,
      is_sent: 1,
      is_delivered: 1,
      is_read: 1,
      error: 22,
      thread_originator_guid: 'T',
    });
    file.message('A-2', { item_type: 1, associated_message_type: 2000 });
    expect(open().rowsAfter(0, 10)).toMatchObject([
      { isFromMe: true, isSent: true, isDelivered: true, isRead: true, error: 22, replyToGuid: 'T' },
      { isFromMe: false, action: { itemType: 1 }, association: { type: 2000 } },
    ]);
  });
});

describe.each(variants())('ChatDb reads on $title', (variant) => {
  it('pages through rows by ROWID, over gaps', () => {
    const { file, open } = build(variant);
    for (const ROWID of [3, 5, 9]) file.message(`A-${ROWID}`, { ROWID });
    const db = open();
    expect(db.rowsAfter(3, 10).map((row) => row.rowid)).toEqual([5, 9]);
    expect(db.rowsAfter(0, 2).map((row) => row.rowid)).toEqual([3, 5]);
    expect([db.maxRowid(), db.guidAt(5), db.guidAt(4)]).toEqual([9, 'A-5', undefined]);
  });

  it('finds rows by date, by guid and by ROWID, and own rows alone', () => {
    const { file, open } = build(variant);
    const dates = [JAN_1, JAN_1 - 1000, JAN_1 + 1000, JAN_1 + 2000];
    dates.forEach((at, i) => {
      file.message(`A-${i + 1}`, { date: appleNs(at), is_from_me: i % 2 });
    });
    file.message('A-5', { date: (JAN_1 + 1000 - 978_307_200_000) / 1000 });
    const db = open();
    const rowids = (rows: readonly { rowid: number }[]) => rows.map((row) => row.rowid);
    expect(rowids(db.rowsSince(JAN_1, 0, 10))).toEqual([1, 3, 4, 5]);
    expect(rowids(db.rowsSince(JAN_1, 1, 2))).toEqual([3, 4]);
    expect(rowids(db.rowsSince(0, 0, 10))).toEqual([1, 2, 3, 4, 5]);
    expect(rowids(db.rowsByGuid(['A-3', 'A-1', 'B-1']))).toEqual([1, 3]);
    expect(rowids(db.rowsByRowid([4, 2, 77]))).toEqual([2, 4]);
    expect(rowids(db.outgoingAfter(2, 10))).toEqual([4]);
    expect(rowids(db.outgoingAfter(0, 10, JAN_1))).toEqual([4]);
    file.message('A-6', { date: null, is_from_me: 1 });
    file.message('A-7', { date: 0, is_from_me: 1 });
    expect(rowids(db.outgoingAfter(0, 10, JAN_1))).toEqual([4, 6, 7]);
    expect(rowids(db.outgoingSince(JAN_1, 10))).toEqual([4]);
    expect(db.maxRowid()).toBe(7);
  });

  it('knows no highest ROWID in an empty database', () => {
    expect(build(variant).open().maxRowid()).toBe(0);
  });

  it('finds the newest chat of a thread', () => {
    const { file, open } = build(variant);
    const anna = file.handle('+15550100002');
    file.chat('+15550100002', [anna], 'SMS');
    file.chat('+15550100002', [anna], 'any');
    const db = open();
    expect(db.chatOf('+15550100002')).toMatchObject({ guid: 'any;-;+15550100002', participants: ['+15550100002'] });
    expect(db.chatOf('+15550100009')).toBeUndefined();
  });

  it('gives the chat of a thread that was written in last, and its service, whatever was inserted last', () => {
    const { file, open } = build();
    const anna = file.handle('+15550100002');
    const sms = file.chat('+15550100002', [anna], 'SMS');
    const imessage = file.chat('+15550100002', [anna], 'iMessage');
    const at = (minute: number) => appleNs(Date.UTC(2026, 0, 1, 12, minute));
    const write = (guid: string, chat: number, minute: number, service: string) => {
      const rowid = file.message(guid, { date: at(minute), service });
      file.insert('chat_message_join', { chat_id: chat, message_id: rowid, message_date: at(minute) });
    };
    const db = open();
    expect(db.chatOf('+15550100002')).toMatchObject({ guid: 'iMessage;-;+15550100002', newestService: undefined });
    write('M-1', imessage, 1, 'iMessage');
    write('M-2', sms, 3, 'SMS');
    write('M-3', imessage, 2, 'iMessage'); // brought by iCloud
    expect(db.chatOf('+15550100002')).toMatchObject({ guid: 'SMS;-;+15550100002', newestService: 'SMS' });
    file.db.exec(`UPDATE message SET error = 22 WHERE guid = 'M-2'`);
    expect(db.chatOf('+15550100002')).toMatchObject({ guid: 'iMessage;-;+15550100002', newestService: 'iMessage' });
    write('M-4', imessage, 4, 'iMessageLite');
    expect(db.chatOf('+15550100002')).toMatchObject({ service: 'iMessage', newestService: 'iMessageLite' });
  });
});

describe('ChatDb open', () => {
  it('reads a database without the optional columns and with unknown ones', () => {
    const { file, open } = build({
      ...NEWEST,
      extra: ['message.future_column'],
      without: [
        'message.attributedBody',
        'message.service',
        'message.thread_originator_guid',
        'message.cache_has_attachments',
        'message.item_type',
        'message.associated_message_type',
        'message.is_sent',
        'chat.style',
        'chat.service_name',
        'attachment',
        'chat_handle_join',
      ],
    });
    file.db.exec(`INSERT INTO chat (guid, chat_identifier) VALUES ('any;+;chat1', 'chat1');
      INSERT INTO message (guid, text, future_column) VALUES ('A-1', 'plain', 'x');
      INSERT INTO chat_message_join (chat_id, message_id) VALUES (1, 1)`);
    expect(open().rowsAfter(0, 10)).toMatchObject([
      { text: 'plain', chat: { isGroup: true, participants: [] }, action: undefined, service: '', attachments: [] },
    ]);
  });

  it('names every table and column that is missing', () => {
    const { open } = build({
      ...NEWEST,
      without: ['message.date', 'message.text', 'message.attributedBody', 'handle'],
    });
    expect(open).toThrow('lacks message.date, table handle, message.text or message.attributedBody');
    expect(codeOf(open)).toBe('EDGE_CHATDB_SCHEMA');
  });

  it.each([
    ['no file', undefined, 'EDGE_CHATDB_MISSING'],
    ['a file of length zero', Buffer.alloc(0), 'EDGE_CHATDB_SCHEMA'],
    ['a file that is no database', Buffer.alloc(8192, 'garbage '), 'EDGE_CHATDB_CORRUPT'],
  ])('tells %s by its code', (_name, content, code) => {
    const path = join(tempDir(), 'chat.db');
    if (content) writeFileSync(path, content);
    expect(codeOf(() => new ChatDb({ path }).open())).toBe(code);
  });

  it('tells a damaged page by its code and is none the worse for it', () => {
    const { file, open } = build();
    for (let i = 0; i < 200; i++) file.message(`A-${i}`, { text: 'x'.repeat(200) });
    file.db.pragma('wal_checkpoint(TRUNCATE)');
    const root = file.db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'message'`).pluck().get() as number;
    const bytes = readFileSync(file.path);
    bytes.fill(0xff, (root - 1) * 4096, root * 4096);
    file.close();
    writeFileSync(file.path, bytes);
    expect(codeOf(open)).toBe('EDGE_CHATDB_CORRUPT');
  });

  it('tells a file it may not read from one that is not there', () => {
    const { file } = build();
    chmodSync(file.path, 0);
    chmodSync(join(file.path, '..'), 0o755);
    // Root may read everything, so it becomes nobody; only once all is loaded, because nobody may not see the checkout.
    const script = `
      import Database from 'better-sqlite3';
      import { ChatDb } from ${JSON.stringify(join(import.meta.dirname, '../../src/chatdb/ChatDb.ts'))};
      new Database(':memory:').close();
      if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
      try { new ChatDb({ path: ${JSON.stringify(file.path)} }).open(); } catch (error) { console.log(error.code); }`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(child.stdout.trim(), child.stderr).toBe('EDGE_CHATDB_NO_PERMISSION');
  });

  it('waits at most a moment for a database that is locked', () => {
    const { file, open } = build();
    file.db.pragma('journal_mode = DELETE');
    file.message('A-1');
    const db = open();
    file.db.exec('BEGIN EXCLUSIVE');
    expect(codeOf(() => db.rowsAfter(0, 1))).toBe('EDGE_CHATDB_BUSY');
    expect(codeOf(open)).toBe('EDGE_CHATDB_BUSY');
    file.db.exec('COMMIT');
    expect(db.rowsAfter(0, 1)).toHaveLength(1);
  });

  it('says which file it opened and which is there now', () => {
    const { file } = build();
    const db = new ChatDb({ path: file.path });
    const { dev, ino } = statSync(file.path, { bigint: true });
    expect(db.open()).toEqual({ dev: String(dev), ino: String(ino) });
    db.close();
    db.close();
    rmSync(file.path);
    expect(db.identityOnDisk()).toBeUndefined();
    expect(codeOf(() => db.maxRowid())).toBe('EDGE_CHATDB_READ');
  });

  it('sees what stands in the WAL alone, and leaves both files as they are, even when nobody else has them open', () => {
    const path = join(tempDir(), 'chat.db');
    const module = JSON.stringify(join(import.meta.dirname, 'support/chatDbFile.ts'));
    const script = `
      import { ChatDbFile } from ${module};
      new ChatDbFile(${JSON.stringify(path)}).message('A-1', { text: 'in the WAL' });
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(child.signal, child.stderr).toBe('SIGKILL');
    const before = [readFileSync(path), readFileSync(`${path}-wal`)];
    expect(before[1]?.length).toBeGreaterThan(0);
    const db = new ChatDb({ path });
    db.open();
    expect(db.rowsAfter(0, 10)).toHaveLength(1);
    expect(db.rowsSince(0, 0, 10)).toHaveLength(1);
    db.close();
    expect([readFileSync(path), readFileSync(`${path}-wal`)]).toEqual(before);
  });
});
