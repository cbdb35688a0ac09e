import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OPTIONAL_COLUMNS } from '../../src/chatdb/features.ts';
import { buildQueries, type ChatDbQueries } from '../../src/chatdb/queries.ts';
import { probeSchema } from '../../src/chatdb/schemaProbe.ts';
import { tempDir } from '../support/tempDir.ts';
import { createVariant, type SchemaVariant, variants } from './support/schemaVariants.ts';

const ROWS = 100_000;

/** Each query, and why the rows it sorts are few; undefined where it may sort none. */
const SORTS: Record<keyof ChatDbQueries, string | undefined> = {
  dataVersion: undefined,
  maxRowid: undefined,
  hasRowsPastLast: undefined,
  guidAt: undefined,
  rowsAfter: undefined,
  rowsSince: 'ROWIDs of one page, kept while the date index is walked',
  rowsByGuid: 'the rows asked for',
  rowsByRowid: undefined,
  outgoingAfter: undefined,
  outgoingSince: 'ROWIDs of one page',
  revisionsDated: undefined,
  revisionsFrom: undefined,
  receiptStates: undefined,
  recentOf: 'the rows looked at for one page',
  earlierInChat: 'the chats of one message',
  chat: undefined,
  writtenChatOf: 'the chats of one person',
  participants: 'the members of one chat',
  attachments: 'the attachments of one message',
  messageOfAttachment: 'the messages of one attachment',
};

/** As at a tail: SQLite looks at what is bound, and scans rightly where that means all rows. */
const PARAMETERS = {
  rowid: ROWS - 10,
  afterRowid: ROWS - 100,
  date: BigInt(700_000_000 + (ROWS - 100) * 60) * 1_000_000_000n,
  lastDate: 2n ** 63n - 1n,
  sinceNs: BigInt(700_000_000 + (ROWS - 100) * 60) * 1_000_000_000n,
  sinceSeconds: 700_000_000 + (ROWS - 100) * 60,
  sinceAt: 0,
  limit: 200,
  examined: 800,
  guids: '["M-1", "M-2"]',
  rowids: '[1, 2]',
};

function filled(variant: SchemaVariant) {
  const db = createVariant(join(tempDir(), 'chat.db'), variant);
  onTestFinished(() => void db.close());
  const columns = (table: string) => (db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
  const insert = (table: string, rows: number, values: Record<string, string>) => {
    const names = Object.keys(values).filter((name) => columns(table).includes(name));
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO ${table} (${names.join(', ')}) SELECT ${names.map((name) => values[name]).join(', ')} FROM n`);
  };
  insert('handle', 200, { id: `'person' || i || '@example.com'`, service: `'iMessage'` });
  insert('chat', 200, {
    guid: `'iMessage;-;person' || i`,
    chat_identifier: `'person' || i`,
    style: '45',
    service_name: `'iMessage'`,
  });
  insert('chat_handle_join', 200, { chat_id: 'i', handle_id: 'i' });
  const date = '(700000000 + i * 60) * 1000000000';
  insert('message', ROWS, {
    guid: `'M-' || i`,
    text: `'message ' || i`,
    handle_id: '1 + i % 200',
    date,
    is_from_me: 'i % 3 = 0',
    service: `'iMessage'`,
    cache_has_attachments: 'i % 20 = 0',
  });
  insert('chat_message_join', ROWS, { chat_id: '1 + i % 200', message_id: 'i', message_date: date });
  insert('attachment', ROWS / 20, { guid: `'at_' || i`, original_guid: `'at_' || i` });
  insert('message_attachment_join', ROWS / 20, { message_id: 'i * 20', attachment_id: 'i' });
  return db;
}

describe.each(variants())('The statements on $title', (variant) => {
  it('scan no table and sort few rows, whether the database was ever analysed or not', () => {
    const db = filled(variant);
    const queries = buildQueries(probeSchema(db, 'chat.db'));
    expect(Object.keys(queries).sort()).toEqual(Object.keys(SORTS).sort());
    for (const isAnalysed of [false, true]) {
      if (isAnalysed) db.exec('ANALYZE');
      for (const [name, sql] of Object.entries(queries) as [keyof ChatDbQueries, string][]) {
        const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`);
        const steps = (sql.includes('?') ? plan.all(1) : plan.all(PARAMETERS)) as { detail: string }[];
        const details = steps.map(({ detail }) => detail);
        const where = `${name}${isAnalysed ? ', analysed' : ''}: ${details.join('; ')}`;
        expect(
          details.filter((detail) => /^SCAN (?!json_each|CONSTANT ROW|\(subquery-)/.test(detail)),
          where,
        ).toEqual([]);
        if (SORTS[name] === undefined)
          expect(
            details.filter((d) => d.includes('TEMP B-TREE')),
            where,
          ).toEqual([]);
      }
    }
  });
});

describe('The features', () => {
  it('name every column that a statement reads where it is there', () => {
    const read = new Set<string>();
    const note = (table: string, column: string) => read.add(`${table}.${column}`);
    buildQueries({
      column: (table, alias, column) => {
        note(table, column);
        return `${alias}.${column}`;
      },
      has: (table, column) => {
        note(table, column);
        return true;
      },
      hasParticipants: true,
      hasAttachments: true,
      lacks: [],
    });
    expect([...read].filter((column) => !OPTIONAL_COLUMNS.includes(column))).toEqual([]);
  });
});
