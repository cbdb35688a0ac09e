import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChatDb } from '../../src/chatdb/ChatDb.ts';
import { tempDir } from '../support/tempDir.ts';
import { ChatDbFile } from './support/chatDbFile.ts';
import { columnsOf, type SchemaVariant, variants } from './support/schemaVariants.ts';
import { encodeText } from './support/typedstreamEncoder.ts';

const MAX_INT64 = 2n ** 63n - 1n;
/** What a damaged row, or a tool that wrote to chat.db, may leave in any column. */
const WRONG = [
  ['text', 'soon'],
  ['an empty text', ''],
  ['a text with a NUL', 'a\0b'],
  ['a blob', Buffer.from([0xff, 0x00, 0xfe])],
  ['an empty blob', Buffer.alloc(0)],
  ['a fraction', 1.5],
  ['infinity', Number.POSITIVE_INFINITY],
  ['NULL', null],
  ['-1', -1],
  ['2^53 + 1', 2n ** 53n + 1n],
  ['the largest integer', MAX_INT64],
  ['the smallest integer', -(2n ** 63n)],
] as const;

const TABLES = ['message', 'handle', 'chat', 'attachment', 'message_attachment_join', 'chat_message_join'];

const ROOM = resolve(import.meta.dirname, '../../src/chatdb');
const sources = readdirSync(ROOM, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
/** Every word of the room that reads chat.db: a column that is not among them is in none of its queries. */
const words = new Set(sources.flatMap((name) => readFileSync(join(ROOM, name), 'utf8').match(/\w+/g) ?? []));

/** The columns to damage at once: each that may be read alone, as damage in one hides that in another, the rest together. */
function groupsOf(columns: readonly string[]): (readonly string[])[] {
  const alone = columns.filter((name) => words.has(name)).map((name) => [name]);
  return [...alone, columns.filter((name) => !words.has(name))];
}

function build(variant: SchemaVariant) {
  const file = new ChatDbFile(join(tempDir(), 'chat.db'), variant);
  onTestFinished(() => file.close());
  const anna = file.handle('+15550100002');
  const chat = file.chat('+15550100002', [anna]);
  const row = (guid: string, isFromMe = 0) =>
    file.message(
      guid,
      { text: 'hello', attributedBody: encodeText('hello'), handle_id: anna, is_from_me: isFromMe },
      chat,
    );
  for (const guid of ['before', 'damaged', 'after']) file.attachment(row(guid), `at_${guid}`);
  row('own', 1);
  file.chat('+15550100003', [file.handle('+15550100003')]);
  const open = () => {
    const chatDb = new ChatDb({ path: file.path });
    chatDb.open();
    onTestFinished(() => chatDb.close());
    return chatDb;
  };
  return { file, open };
}

describe.each(variants())('ChatDb on $title with damaged rows', (variant) => {
  it.each(WRONG)('brings every row, whichever column holds %s', (_name, value) => {
    const { file, open } = build(variant);
    const db = open();
    for (const table of TABLES) {
      for (const columns of groupsOf(columnsOf(file.db, table).filter((name) => name !== 'ROWID'))) {
        const restores = columns.flatMap((column) => damage(file, table, column, value) ?? []);
        if (restores.length === 0) continue;
        const where = `${table}.${columns.join(' and ')}`;
        const all = db.rowsAfter(-2, 10);
        expect(all.length, where).toBe(4);
        for (const row of all) expectSound(row, where);
        exercise(db);
        for (const restore of restores) restore();
      }
    }
  });

  it('reads what belongs to a row by numbers past 2^53', () => {
    const { file, open } = build(variant);
    const far = 2n ** 53n + 1n;
    file.insert('handle', { ROWID: far, id: '+15550100009', service: 'SMS' });
    file.insert('chat', {
      ROWID: far - 1n,
      guid: 'iMessage;-;+15550100008',
      chat_identifier: '+15550100008',
      style: 45,
    });
    file.insert('chat', { ROWID: far, guid: 'iMessage;-;+15550100009', chat_identifier: '+15550100009', style: 45 });
    file.insert('chat_handle_join', { chat_id: far, handle_id: far });
    const rowid = file.message('far', { text: 'hi', handle_id: far });
    file.insert('chat_message_join', { chat_id: far, message_id: rowid });
    expect(open().rowsByGuid(['far'])).toMatchObject([
      { handle: '+15550100009', chat: { identifier: '+15550100009', participants: ['+15550100009'] } },
    ]);
  });

  it.each([2n ** 53n, 2n ** 63n - 2n])('leaves out a row with the ROWID %s, and says so', (far) => {
    const { file, open } = build(variant);
    const db = open();
    expect(db.lacks.join()).not.toContain('2^53');
    file.message('far', { ROWID: far, text: 'far' });
    expect(db.rowsAfter(0, 10).map((row) => row.guid)).toEqual(['before', 'damaged', 'after', 'own']);
    expect([db.rowsByGuid(['far']), db.rowsAfter(4, 10), db.rowsSince(0, 4, 10)]).toEqual([[], [], []]);
    expect(db.maxRowid()).toBe(4);
    expect(db.lacks.at(-1)).toContain('2^53');
  });
});

/** Puts the value into the second row, and returns what undoes it; undefined where a constraint of the schema keeps it out. */
function damage({ db }: ChatDbFile, table: string, column: string, value: (typeof WRONG)[number][1]) {
  const was = db.prepare(`SELECT ${column} AS value FROM ${table} WHERE rowid = 2`).safeIntegers().get();
  try {
    db.prepare(`UPDATE OR IGNORE ${table} SET ${column} = ? WHERE rowid = 2`).run(value);
  } catch {
    return;
  }
  return () => db.prepare(`UPDATE ${table} SET ${column} = @value WHERE rowid = 2`).run(was);
}

/** Everything ChatRow promises of its types. */
function expectSound(row: object, where: string): void {
  const types: Record<string, readonly string[]> = {
    rowid: ['number'],
    guid: ['string'],
    isFromMe: ['boolean'],
    dateAt: ['number', 'undefined'],
    rawDate: ['string'],
    service: ['string'],
    handle: ['string', 'undefined'],
    text: ['string'],
    subject: ['string', 'undefined'],
    bodyBytes: ['number'],
    editedAt: ['number', 'undefined'],
    isEmpty: ['boolean'],
    isScheduled: ['boolean'],
    error: ['number'],
    replyToGuid: ['string', 'undefined'],
  };
  for (const [name, allowed] of Object.entries(types)) {
    expect(allowed, `${name} of a row with damage in ${where}`).toContain(typeof row[name as keyof typeof row]);
  }
  expect((row as { rawDate: string }).rawDate).toMatch(/^-?\d+$/);
  expect((row as { guid: string }).guid).not.toBe('');
}

function exercise(db: ChatDb): void {
  db.rowsSince(0, 0, 10);
  db.rowsByRowid([1, 2, 3]);
  db.rowsByGuid(['damaged', 'after']);
  db.outgoingAfter(0, 10);
  db.outgoingSince(0, 10);
  db.revisions({ sinceAt: 0, fromRowid: 2 }, undefined, 10);
  db.receiptStates([1, 2, 3, 4]);
  db.maxRowid();
  db.guidAt(2);
  db.chatOf('+15550100002');
  for (const row of db.rowsAfter(0, 10)) {
    db.recentOf(row, 5);
    db.isFirstOfChat(row);
  }
}
