import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decode } from '../../src/cli/decode.ts';
import type { Io } from '../../src/cli/Io.ts';
import type { Seen } from '../../src/cli/RowWatch.ts';
import { described, shown } from '../../src/cli/seenRow.ts';
import { watchMessages } from '../../src/cli/watch.ts';
import { silentTelemetry } from '../../src/util/Telemetry.ts';
import { appleNs, ChatDbFile } from '../chatdb/support/chatDbFile.ts';
import { attributes, encodeBody, encodeText } from '../chatdb/support/typedstreamEncoder.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';

/** A terminal that collects what is printed. */
function terminal() {
  const printed = { out: '', err: '' };
  const io: Io = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    env: {},
    cwd: '/nowhere',
    exit: () => {
      throw new Error('exit');
    },
  };
  return { io, printed };
}

describe('edge-agent decode', () => {
  const body = encodeBody('@Anna see this\ufffc', [
    { length: 5, attributes: attributes({ part: 0, mention: '+15550100003' }) },
    { length: 5, attributes: attributes({ part: 0 }) },
    { length: 4, attributes: attributes({ part: 0, link: { url: 'https://example.com/' } }) },
    { length: 1, attributes: attributes({ part: 1, attachment: 'at_1_A' }) },
  ]);

  async function decodeFiles(files: Record<string, Uint8Array>, options: { json?: boolean } = {}) {
    const dir = tempDir();
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dir, name), bytes);
    const { io, printed } = terminal();
    const code = await decode(
      Object.keys(files).map((name) => join(dir, name)),
      options,
      io,
    );
    return { code, out: printed.out.replaceAll(`${dir}/`, ''), err: printed.err.replaceAll(`${dir}/`, '') };
  }

  it('prints text, parts, mentions, links and attachments', async () => {
    const { code, out, err } = await decodeFiles({ 'a.bin': body });
    expect(out).toBe(
      [
        'a.bin',
        '  text         "@Anna see this\ufffc"',
        '  part 0       0–14',
        '  part 1       14–15',
        '  mention      0–5 +15550100003 as @Anna',
        '  link         10–14 https://example.com/',
        '  attachment   14–15 at_1_A',
        '',
      ].join('\n'),
    );
    expect([err, code]).toEqual(['', 0]);
  });

  it('prints one JSON object for each file, also for one that is none, and exits with 65 then', async () => {
    const files = { 'a.bin': body, 'b.bin': Buffer.from('nothing'), 'c.bin': encodeText('last').subarray(0, -5) };
    const { code, out } = await decodeFiles(files, { json: true });
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      expect.objectContaining({
        file: 'a.bin',
        kind: 'body',
        text: '@Anna see this\ufffc',
        parts: [
          { index: 0, start: 0, length: 14 },
          { index: 1, start: 14, length: 1 },
        ],
        mentions: [{ handle: '+15550100003', text: '@Anna', start: 0 }],
        links: [{ url: 'https://example.com/', start: 10, length: 4 }],
        attachments: [{ guid: 'at_1_A', start: 14 }],
      }),
      { file: 'b.bin', error: 'not a typedstream', code: 'EDGE_BODY_UNDECODABLE' },
      expect.objectContaining({ file: 'c.bin', text: 'last', damage: expect.any(String) }),
    ]);
    expect(code).toBe(65);
  });

  it('names a file that is not there and shows the others', async () => {
    const { io, printed } = terminal();
    const path = join(tempDir(), 'a.bin');
    writeFileSync(path, encodeText('here'));
    const code = await decode(['/nowhere/b.bin', path], {}, io);
    expect(printed.err).toContain('/nowhere/b.bin: ENOENT');
    expect(printed.out).toContain('"here"');
    expect(code).toBe(65);
  });
});

describe('edge-agent watch', () => {
  function watching(since?: number) {
    const file = new ChatDbFile(join(tempDir(), 'chat.db'));
    onTestFinished(() => file.close());
    const anna = file.handle('+15550100002');
    const ids = { anna, dm: file.chat('+15550100002', [anna]), group: file.chat('chat831', [anna]) };
    file.message('old', { text: 'before', handle_id: anna }, ids.dm);
    const abort = new AbortController();
    const clock = new FakeClock();
    const printed = { out: '' };
    const seen: Seen[] = [];
    const done = watchMessages({
      path: file.path,
      since,
      print: (one) => {
        seen.push(one);
        printed.out += `${described(one)}\n`;
      },
      signal: abort.signal,
      clock,
      telemetry: silentTelemetry,
    });
    onTestFinished(() => abort.abort());
    return { file, ids, clock, printed, seen, abort, done };
  }

  it('prints reactions, also those in words, and changes of a group', async () => {
    const { file, ids, clock, printed, seen } = watching();
    await waitFor('the start', () => clock.pending > 0);
    const bert = file.handle('+15550100003');
    const by = { handle_id: ids.anna };
    file.message('A-1', { ...by, text: 'hi' }, ids.dm);
    const target = { associated_message_guid: 'p:0/A-1' };
    file.message('A-2', { ...by, ...target, associated_message_type: 2006, associated_message_emoji: '🎉' }, ids.dm);
    file.message('A-3', { ...by, ...target, associated_message_type: 3001 }, ids.dm);
    file.message('A-4', { ...by, text: 'Laughed at “hi”' }, ids.dm);
    file.message('A-5', { ...target, associated_message_type: 2000, is_from_me: 1 }, ids.dm);
    file.message('A-6', { ...by, item_type: 2, group_title: 'Lunch' }, ids.group);
    file.message('A-7', { ...by, item_type: 1, other_handle: bert }, ids.group);
    await clock.advance(1000);
    expect(printed.out.replaceAll(/^\d\d:\d\d:\d\d {2}/gm, '').split('\n')).toEqual([
      '+15550100002  "hi"',
      '+15550100002  reacted 🎉 to A-1',
      '+15550100002  took like back from A-1',
      '+15550100002  reacted laugh to A-1',
      '+15550100002  me  reacted love to A-1',
      'chat831  +15550100002  renamed "Lunch"',
      'chat831  +15550100002  member added +15550100003',
      '',
    ]);
    expect(shown(seen[1]!)).toMatchObject({ kind: 'reaction_added', guid: 'A-2', message_guid: 'A-1', emoji: '🎉' });
  });

  it('prints an edit and an unsending once, and neither for what was edited before it was seen', async () => {
    const { file, ids, clock, printed } = watching();
    await waitFor('the start', () => clock.pending > 0);
    const by = { handle_id: ids.anna };
    file.message('A-1', { ...by, text: 'frist' }, ids.dm);
    file.message('A-2', { ...by, text: 'oops' }, ids.dm);
    file.message('A-3', { ...by, text: 'edited before', date_edited: appleNs(Date.UTC(2026, 0, 1)) }, ids.dm);
    await clock.advance(1000);
    const edit = file.db.prepare('UPDATE message SET text = ?, date_edited = ?, is_empty = ? WHERE guid = ?');
    edit.run('first', appleNs(Date.UTC(2026, 0, 2)), 0, 'A-1');
    edit.run(null, appleNs(Date.UTC(2026, 0, 2)), 1, 'A-2');
    await clock.advance(1000);
    file.message('A-4', { ...by, text: 'last' }, ids.dm);
    await clock.advance(1000);
    expect(printed.out.replaceAll(/^\d\d:\d\d:\d\d {2}\+15550100002 {2}/gm, '').split('\n')).toEqual([
      '"frist"',
      '"oops"',
      '"edited before"',
      'edited A-1: "first"',
      'unsent A-2',
      '"last"',
      '',
    ]);
  });

  it('prints inbound messages that come from now on, until it is ended', async () => {
    const { file, ids, clock, printed, abort, done } = watching();
    await waitFor('the start', () => clock.pending > 0);
    file.message('A-1', { attributedBody: encodeText('say "hi"'), handle_id: ids.anna }, ids.dm);
    file.message('A-2', { text: 'mine', handle_id: ids.anna, is_from_me: 1 }, ids.dm);
    file.message('A-3', { text: 'Loved “hi”', handle_id: ids.anna, associated_message_type: 2000 }, ids.dm);
    file.message('A-4', { text: 'all', handle_id: ids.anna }, ids.group);
    await clock.advance(1000);
    expect(printed.out.replaceAll(/^\d\d:\d\d:\d\d/gm, 'TIME')).toBe(
      [
        'TIME  +15550100002  "say \\"hi\\""',
        'TIME  +15550100002  reacted love to a message',
        'TIME  chat831  +15550100002  "all"',
        '',
      ].join('\n'),
    );
    abort.abort();
    await done;
    expect(clock.pending).toBe(0);
  });

  it('prints what came after --since first, and has JSON for it', async () => {
    const { clock, seen } = watching(0);
    await waitFor('the start', () => clock.pending > 0);
    expect(JSON.parse(JSON.stringify(shown(seen[0]!)))).toEqual({
      kind: 'message',
      rowid: 1,
      guid: 'old',
      date: '2026-01-01T00:00:00.000Z',
      thread_id: '+15550100002',
      sender: '+15550100002',
      is_group: false,
      service: 'iMessage',
      text: 'before',
      attachments: [],
    });
  });

  it('waits for the chat of a row, and shows it without when none comes', async () => {
    const { file, ids, clock, printed } = watching();
    await waitFor('the start', () => clock.pending > 0);
    const rowid = file.message('A-1', { text: 'late chat', handle_id: ids.anna });
    file.message('A-2', { text: 'no chat', handle_id: ids.anna });
    await clock.advance(1000);
    expect(printed.out).toBe('');
    file.insert('chat_message_join', { chat_id: ids.group, message_id: rowid });
    await clock.advance(1000);
    expect(printed.out).toContain('chat831  +15550100002  "late chat"');
    expect(printed.out).not.toContain('no chat');
    await clock.advance(3000);
    expect(printed.out).toContain('+15550100002  "no chat"');
    expect(printed.out.trim().split('\n')).toHaveLength(2);
  });
});
