import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChatDb } from '../../src/chatdb/ChatDb.ts';
import { tempDir } from '../support/tempDir.ts';
import { appleNs, ChatDbFile } from './support/chatDbFile.ts';
import { keeping, type SchemaVariant, variants } from './support/schemaVariants.ts';
import { encodeText } from './support/typedstreamEncoder.ts';

const JAN_1 = Date.UTC(2026, 0, 1);

function build(variant: SchemaVariant, ...needs: readonly string[]) {
  const file = new ChatDbFile(join(tempDir(), 'chat.db'), keeping(variant, ...needs));
  const db = new ChatDb({ path: file.path });
  db.open();
  onTestFinished(() => {
    db.close();
    file.close();
  });
  return { file, db };
}

describe.each(variants())('ChatDb on $title', (variant) => {
  it('ends a page early where bodies are large, but gives one row at least', () => {
    const { file, db } = build(variant, 'message.attributedBody', 'message.payload_data');
    const mib = (count: number) => Buffer.alloc(count * 1024 * 1024, 'x');
    for (const [guid, size] of Object.entries({ a: 3, b: 3, c: 3, d: 9, e: 1 })) {
      file.message(guid, { attributedBody: mib(size - 1), payload_data: mib(1), is_from_me: 1 });
    }
    const pages = (read: (after: number) => readonly { rowid: number; guid: string }[]) => {
      const found: string[] = [];
      for (let page = read(0); page.length > 0; page = read(page.at(-1)!.rowid)) {
        found.push(page.map(({ guid }) => guid).join(''));
      }
      return found;
    };
    expect(pages((after) => db.rowsAfter(after, 10))).toEqual(['abc', 'd', 'e']);
    expect(pages((after) => db.rowsSince(0, after, 10))).toEqual(['abc', 'd', 'e']);
    expect(pages((after) => db.outgoingAfter(after, 10))).toEqual(['abc', 'd', 'e']);
    expect(pages((after) => db.outgoingSince(0, 10, after))).toEqual(['abc', 'd', 'e']);
    expect(db.rowsByGuid(['a', 'b', 'c', 'd', 'e'])).toHaveLength(5);
  });

  it('takes no Send Later row for a receipt', () => {
    const { file, db } = build(variant, 'message.schedule_type');
    const hasColumn = variant.macos >= 15;
    file.message('later', { is_from_me: 1, schedule_type: 2 });
    file.message('sent', { is_from_me: 1 });
    const expected = hasColumn ? ['sent'] : ['later', 'sent'];
    expect(db.outgoingAfter(0, 10).map(({ guid }) => guid)).toEqual(expected);
    expect(db.outgoingSince(0, 10).map(({ guid }) => guid)).toEqual(expected);
    expect(db.rowsAfter(0, 10).map(({ isScheduled }) => isScheduled)).toEqual([hasColumn, false]);
  });

  it('finds what was edited among recent and new rows, page by page', () => {
    const { file, db } = build(variant, 'message.date_edited');
    const edited = (guid: string, at: number, more = {}) =>
      file.message(guid, { date: appleNs(at), date_edited: appleNs(at + 5000), ...more });
    edited('old', JAN_1 - 60_000);
    edited('recent', JAN_1, { is_from_me: 1 });
    file.message('untouched', { date: appleNs(JAN_1) });
    edited('absurd', JAN_1, { date_edited: 2n ** 63n - 1n });
    for (let i = 0; i < 2500; i++) file.message(`filler-${i}`, { date: 0 });
    const last = edited('old but new here', JAN_1 - 60_000);
    const found = [];
    let examinedTo: string | undefined;
    let calls = 0;
    do {
      calls++;
      const page = db.revisions({ sinceAt: JAN_1, fromRowid: 5 }, examinedTo, 1);
      found.push(...page.found.map(({ place: _, ...revision }) => revision));
      examinedTo = page.examinedTo;
    } while (examinedTo !== undefined && calls < 10);
    expect(found).toEqual(
      variant.macos === 12
        ? []
        : [
            { rowid: 2, guid: 'recent', editedAt: JAN_1 + 5000, isFromMe: true },
            { rowid: last, guid: 'old but new here', editedAt: JAN_1 - 55_000, isFromMe: false },
          ],
    );
    expect(examinedTo).toBeUndefined();
    expect(calls).toBeGreaterThan(1);
  });

  it('finds each edited row once, in both ways of writing dates, many of one date, and some by ROWID too', () => {
    const { file, db } = build(variant, 'message.date_edited');
    const ns = appleNs(JAN_1);
    const edited = { date_edited: appleNs(JAN_1 + 5000) };
    file.message('in seconds', { date: ns / 1_000_000_000n, ...edited });
    file.message('in seconds, old', { date: ns / 1_000_000_000n - 60n, ...edited });
    const rows = Array.from({ length: 4100 }, (_, i) => file.message(`same date ${i}`, { date: ns, ...edited }));
    file.message('no date', { date: 0, ...edited });
    file.message('absurd date', { date: 2n ** 63n - 1n, ...edited });
    const guids: string[] = [];
    let after: string | undefined;
    do {
      const page = db.revisions({ sinceAt: JAN_1, fromRowid: rows[4000]! }, after, 900);
      guids.push(...page.found.map(({ guid }) => guid));
      after = page.examinedTo;
    } while (after !== undefined);
    const all = variant.macos === 12 ? 0 : rows.length + 3;
    expect([guids.length, new Set(guids).size, guids.includes('in seconds, old')]).toEqual([all, all, false]);
  });

  it('says what became of rows of ours', () => {
    const columns = ['is_sent', 'is_delivered', 'date_delivered', 'date_read', 'error'];
    const { file, db } = build(variant, ...columns.map((column) => `message.${column}`));
    file.message('read', {
      is_sent: 1,
      is_delivered: 1,
      date_delivered: appleNs(JAN_1),
      date_read: appleNs(JAN_1 + 1),
    });
    file.message('failed', { error: 22, date_read: 2n ** 63n - 1n, date_delivered: 0 });
    expect(db.receiptStates([1, 2, 3])).toEqual([
      { rowid: 1, guid: 'read', isSent: true, isDelivered: true, deliveredAt: JAN_1, readAt: JAN_1 + 1, error: 0 },
      { rowid: 2, guid: 'failed', isSent: false, isDelivered: false, error: 22 },
    ]);
  });

  it('gives the words before a row in its chat, and knows the first row of one', () => {
    const { file, db } = build(
      variant,
      ...['text', 'attributedBody', 'associated_message_type', 'item_type'].map((column) => `message.${column}`),
    );
    const anna = file.handle('+15550100002');
    const [chat, other] = [file.chat('+15550100002', [anna]), file.chat('chat831', [anna])];
    file.message('first', { attributedBody: encodeText('one'), handle_id: anna }, chat);
    file.message('elsewhere', { text: 'other' }, other);
    file.message('mine', { text: 'two', is_from_me: 1 }, chat);
    file.message('damaged', { text: 'three', attributedBody: Buffer.from('garbage'), handle_id: anna }, chat);
    file.message('tapback', { text: 'Loved “two”', associated_message_type: 2000 }, chat);
    file.message('renamed', { item_type: 2 }, chat);
    file.message('last', { text: 'four' }, chat);
    file.message('alone', { text: 'no chat' });
    const rows = new Map(db.rowsAfter(0, 20).map((row) => [row.guid, row]));
    const words = [
      { guid: 'damaged', text: 'three', isFromMe: false, handle: '+15550100002' },
      { guid: 'mine', text: 'two', isFromMe: true },
      { guid: 'first', text: 'one', isFromMe: false, handle: '+15550100002' },
    ];
    expect(db.recentOf(rows.get('last')!, 10)).toEqual(words);
    expect(db.recentOf(rows.get('last')!, 2)).toEqual(words.slice(0, 2));
    expect(db.recentOf(rows.get('alone')!, 10)).toEqual([]);
    const first = [...rows.values()].filter((row) => db.isFirstOfChat(row)).map(({ guid }) => guid);
    expect(first).toEqual(['first', 'elsewhere']);
  });

  it('does not take a group for new whose chat an upgrade has made again', () => {
    const { file, db } = build(variant);
    const handles = [file.handle('+15550100002'), file.handle('+15550100003')];
    file.message('before', { text: 'one' }, file.chat('chat831', handles));
    file.message('after', { text: 'two' }, file.chat('chat831', handles, 'any'));
    const rows = db.rowsAfter(0, 9);
    expect(rows.map((row) => db.isFirstOfChat(row))).toEqual([true, false]);
  });

  it('sees the members of a chat as they are after each commit', () => {
    const { file, db } = build(variant);
    const [anna, ben] = [file.handle('+15550100002'), file.handle('+15550100003')];
    const chat = file.chat('chat831', [anna]);
    file.message('a', { text: 'hi' }, chat);
    const members = () => db.rowsAfter(0, 1)[0]?.chat?.participants;
    expect([members(), members()]).toEqual([['+15550100002'], ['+15550100002']]);
    file.insert('chat_handle_join', { chat_id: chat, handle_id: ben });
    expect(members()).toEqual(['+15550100002', '+15550100003']);
  });

  it('shows attachments as a person sees them, with harmless names', () => {
    const needs = ['transfer_name', 'filename', 'mime_type', 'uti', 'total_bytes', 'hide_attachment', 'transfer_state'];
    const { file, db } = build(variant, ...needs.map((column) => `attachment.${column}`));
    const rowid = file.message('a', { text: '\ufffc' });
    file.attachment(rowid, 'hidden', { hide_attachment: 1 });
    file.attachment(rowid, 'plugin', { transfer_name: 'A1.pluginPayloadAttachment' });
    file.attachment(rowid, 'path', { transfer_name: '../etc/\u0007pass\u202ewd', total_bytes: -1, transfer_state: 0 });
    file.attachment(rowid, 'dots', { transfer_name: '..', filename: '~/b.caf', uti: 'com.apple.coreaudio-format' });
    file.attachment(rowid, 'typed', { transfer_name: 'x.png', mime_type: 'image/apng' });
    expect(db.rowsAfter(0, 1)[0]?.attachments).toMatchObject([
      {
        guid: 'path',
        name: '.._etc_passwd',
        sizeBytes: 0,
        mimeType: 'application/octet-stream',
        transferState: 'pending',
      },
      { guid: 'dots', name: 'b.caf', mimeType: 'audio/x-caf', transferState: 'finished' },
      { guid: 'typed', name: 'x.png', mimeType: 'image/apng' },
    ]);
  });

  it('names the features that its schema lacks, and none that came with a later macOS', () => {
    const { db } = build({ ...variant, without: [...variant.without, 'message.thread_originator_guid'] });
    expect(db.lacks).toContain('inline replies (message.thread_originator_guid)');
    const { db: whole } = build({ ...variant, without: [] });
    expect(whole.lacks).toEqual([]);
  });
});
