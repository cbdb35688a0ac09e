import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf } from '../chatdb/support/schemaVariants.ts';
import { encodeText } from '../chatdb/support/typedstreamEncoder.ts';
import { FUZZ_MS, fuzzing } from '../fuzz/fuzzing.ts';
import { ANNA, hostileRig } from './hostileRig.ts';

const LONG = 'x'.repeat(1_000_000);

describe('whatever stands in a column', () => {
  const tables = ['message', 'handle', 'chat', 'attachment', 'chat_message_join', 'message_attachment_join'];
  const value = fc.oneof(
    fc.constantFrom(
      ...[
        '',
        'soon',
        'a\0b',
        'a"b\'c',
        'a\r\nX-Injected: 1',
        '\u202e\u200bfpg',
        '../../etc/passwd',
        '\ud83d\ude00',
        LONG,
      ],
      ...[null, -1, 1.5, Number.POSITIVE_INFINITY, 1000, 2006, 3007, 4000, 43, 2 ** 31, 0],
      ...[2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 788_918_400_000_000_000n],
      ...[
        Buffer.alloc(0),
        Buffer.from([0xff, 0xfe, 0x00, 0xd8]),
        Buffer.from('bplist00'),
        encodeText('4242 4242 4242 4242'),
      ],
    ),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed()),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  );
  const damage = fc.array(fc.record({ table: fc.constantFrom(...tables), column: fc.nat(), value }), {
    minLength: 1,
    maxLength: 12,
  });

  it('every row is taken in once or set aside, those behind it too, and the wire is as agreed', {
    timeout: FUZZ_MS,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(damage, fc.boolean(), async (damages, inGroup) => {
        const rig = hostileRig();
        const { file } = rig;
        rig.message('before');
        const odd = rig.message('odd', {}, inGroup ? rig.chats.group : rig.chats.pair);
        file.attachment(odd, 'at_odd');
        const last = rig.message('last', { handle_id: file.handle('+15550100009') }, file.chat('+15550100009', []));
        for (const { table, column, value: wrong } of damages) {
          const columns = columnsOf(file.db, table).filter((name) => name.toLowerCase() !== 'rowid');
          const name = columns[column % columns.length]!;
          const at = table === 'message' || table === 'chat_message_join' ? 2 : 1;
          try {
            file.db.prepare(`UPDATE OR IGNORE ${table} SET ${name} = ? WHERE rowid = ?`).run(wrong, at);
          } catch {
            // a constraint of the schema keeps it out
          }
        }
        await rig.settle();
        rig.expectSound();
        expect(rig.fate(last)).toBe('pending');
        expect(rig.store.epochs.latest()!.cursorRowid).toBe(last);
      }),
      fuzzing(150),
    );
  });
});

describe('a row that is too much', () => {
  it.each([
    ['a text of 10 MB', { text: 'y'.repeat(10_000_000), attributedBody: null }],
    ['a body of 16 MiB', { attributedBody: encodeText('y'.repeat(16 * 1024 * 1024)) }],
    ['control characters', { attributedBody: encodeText('\u0001'.repeat(300_000)) }],
    ['line ends and quotes', { attributedBody: encodeText('"\n'.repeat(200_000)) }],
    [
      'half pairs',
      { attributedBody: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.alloc(400_000, Buffer.from([0, 0xd8]))]) },
    ],
    ['a heap of marks', { attributedBody: encodeText(`a${'\u0301\u0323'.repeat(500_000)}`) }],
    ['a subject of 1 MB', { subject: LONG }],
    ['a guid that is answered of 1 MB', { thread_originator_guid: LONG }],
  ])('is handed over within the limits: %s', async (_what, row) => {
    const rig = hostileRig();
    const rowid = rig.message('odd', row);
    const last = rig.message('last');
    await rig.settle();
    rig.expectSound();
    expect([rig.fate(rowid), rig.fate(last)]).toEqual(['pending', 'pending']);
  });

  it('goes by its place when its guid cannot be one, and waits for its file all the same', async () => {
    const rig = hostileRig();
    const rowids = ['', LONG].map((guid) => rig.message(guid));
    for (const [index, rowid] of rowids.entries()) rig.file.attachment(rowid, `at_${index}`, { transfer_state: 0 });
    await rig.settle();
    rig.expectSound();
    expect(rowids.map((rowid) => rig.body(rowid).message_guid)).toEqual(rowids.map((rowid) => `rowid:${rowid}`));
    expect(rig.body(rowids[0]!).attachments).toMatchObject([{ pending: true }]);
  });

  it('names the first of 100,000 attachments, and of 10,000 members', async () => {
    const rig = hostileRig();
    const { file } = rig;
    const rowid = rig.message('odd', { cache_has_attachments: 1 }, rig.chats.group);
    const long = 'hex(zeroblob(300)) || char(1)';
    file.db.exec(`
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT INTO attachment (ROWID, guid, original_guid, transfer_state, transfer_name, mime_type)
        SELECT i, 'at_' || i, 'at_' || i, 5, ${long}, ${long} FROM n;
      INSERT INTO message_attachment_join (message_id, attachment_id) SELECT ${rowid}, ROWID FROM attachment;
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO handle (ROWID, id, service) SELECT 100 + i, i || ${long} || '@example.com', 'iMessage' FROM n;
      INSERT INTO chat_handle_join (chat_id, handle_id) SELECT ${rig.chats.group}, ROWID FROM handle WHERE ROWID > 100;
    `);
    const last = rig.message('last');
    await rig.settle();
    rig.expectSound();
    expect(rig.body(rowid).attachments!.length).toBeGreaterThan(5);
    expect(rig.body(rowid).participants).toContain(ANNA);
    expect(rig.fate(last)).toBe('pending');
  });

  it('that is a reaction to a guid of 1 MB, with as much for an emoji, is an event like others', async () => {
    const rig = hostileRig();
    for (let index = 0; index < 40; index++) {
      rig.message(`odd-${index}`, {
        associated_message_type: 2006,
        associated_message_guid: LONG + index,
        associated_message_emoji: LONG,
        date: 788_918_400_000_000_000n + BigInt(index),
      });
    }
    const last = rig.message('last');
    await rig.settle();
    rig.expectSound();
    const events = rig.store.events.waiting(1_000);
    expect(events).toHaveLength(40);
    expect(JSON.stringify(events).length).toBeLessThan(40 * 2_000);
    expect(rig.fate(last)).toBe('pending');
  });

  it('is not kept in memory while it waits: what chat.db loses of it meanwhile is set aside', async () => {
    const rig = hostileRig();
    const texts = ['y', 'y'.repeat(100_000)];
    const guids = texts.map((_, index) => `odd-${index}`);
    for (const [index, text] of texts.entries()) {
      const rowid = rig.message(guids[index]!, { attributedBody: encodeText(text) });
      rig.file.attachment(rowid, `at_${index}`, { transfer_state: 0 });
    }
    rig.look();
    rig.file.db.exec('DELETE FROM message');
    await rig.settle();
    expect(guids.map((guid) => rig.store.inbound.byGuid(guid)?.state)).toEqual(['pending', 'dead']);
  });
});
