import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { registerDecode } from '../../src/cli/decode.ts';
import { registerWatch } from '../../src/cli/watch.ts';
import { silentTelemetry } from '../../src/util/Telemetry.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';
import { waitFor } from '../support/waitFor.ts';
import { ChatDbFile } from './support/chatDbFile.ts';
import { attributes, encodeBody, encodeText } from './support/typedstreamEncoder.ts';

/** A program that collects what it prints. */
function program() {
  const printed = { out: '', err: '' };
  const command = new Command('edge-agent').exitOverride().configureOutput({
    writeOut: (text) => {
      printed.out += text;
    },
    writeErr: (text) => {
      printed.err += text;
    },
  });
  return { command, printed };
}

describe('edge-agent decode', () => {
  afterEach(() => {
    process.exitCode = undefined;
  });

  const body = encodeBody('@Anna see this\ufffc', [
    { length: 5, attributes: attributes({ part: 0, mention: '+15550100003' }) },
    { length: 5, attributes: attributes({ part: 0 }) },
    { length: 4, attributes: attributes({ part: 0, link: { url: 'https://example.com/' } }) },
    { length: 1, attributes: attributes({ part: 1, attachment: 'at_1_A' }) },
  ]);

  async function decode(files: Record<string, Uint8Array>, ...flags: string[]) {
    const dir = tempDir();
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dir, name), bytes);
    const { command, printed } = program();
    registerDecode(command);
    await command.parseAsync(['decode', ...flags, ...Object.keys(files).map((name) => join(dir, name))], {
      from: 'user',
    });
    return { out: printed.out.replaceAll(`${dir}/`, ''), err: printed.err.replaceAll(`${dir}/`, '') };
  }

  it('prints text, parts, mentions, links and attachments', async () => {
    const { out, err } = await decode({ 'a.bin': body });
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
    expect([err, process.exitCode]).toEqual(['', undefined]);
  });

  it('prints one JSON object for each file, also for one that is none, and exits with 65 then', async () => {
    const files = { 'a.bin': body, 'b.bin': Buffer.from('nothing'), 'c.bin': encodeText('last').subarray(0, -5) };
    const { out } = await decode(files, '--json');
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        file: 'a.bin',
        text: '@Anna see this\ufffc',
        parts: [
          { index: 0, start: 0, length: 14 },
          { index: 1, start: 14, length: 1 },
        ],
        mentions: [{ handle: '+15550100003', text: '@Anna', start: 0 }],
        links: [{ url: 'https://example.com/', start: 10, length: 4 }],
        attachments: [{ guid: 'at_1_A', start: 14 }],
      },
      { file: 'b.bin', error: 'not a typedstream', code: 'EDGE_BODY_UNDECODABLE' },
      expect.objectContaining({ file: 'c.bin', text: 'last', damage: expect.any(String) }),
    ]);
    expect(process.exitCode).toBe(65);
  });

  it('names a file that is not there and shows the others', async () => {
    const { command, printed } = program();
    registerDecode(command);
    const path = join(tempDir(), 'a.bin');
    writeFileSync(path, encodeText('here'));
    await command.parseAsync(['decode', '/nowhere/b.bin', path], { from: 'user' });
    expect(printed.err).toContain('/nowhere/b.bin: ENOENT');
    expect(printed.out).toContain('"here"');
    expect(process.exitCode).toBe(65);
  });
});

describe('edge-agent watch', () => {
  function watching(...flags: string[]) {
    const file = new ChatDbFile(join(tempDir(), 'chat.db'));
    onTestFinished(() => file.close());
    const anna = file.handle('+15550100002');
    const ids = { anna, dm: file.chat('+15550100002', [anna]), group: file.chat('chat831', [anna]) };
    file.message('old', { text: 'before', handle_id: anna }, ids.dm);
    const abort = new AbortController();
    const clock = new FakeClock();
    const { command, printed } = program();
    registerWatch(command, {
      resolveDbPath: (o) => o.db ?? 'none',
      signal: abort.signal,
      clock,
      telemetry: silentTelemetry,
    });
    const done = command.parseAsync(['watch', '--db', file.path, ...flags], { from: 'user' });
    onTestFinished(() => abort.abort());
    return { file, ids, clock, printed, abort, done };
  }

  it('prints inbound messages that come from now on, until it is ended', async () => {
    const { file, ids, clock, printed, abort, done } = watching();
    await waitFor('the start', () => clock.pending > 0);
    file.message('A-1', { attributedBody: encodeText('say "hi"'), handle_id: ids.anna }, ids.dm);
    file.message('A-2', { text: 'mine', handle_id: ids.anna, is_from_me: 1 }, ids.dm);
    file.message('A-3', { text: 'Loved “hi”', handle_id: ids.anna, associated_message_type: 2000 }, ids.dm);
    file.message('A-4', { text: 'all', handle_id: ids.anna }, ids.group);
    await clock.advance(1000);
    expect(printed.out.replaceAll(/^\d\d:\d\d:\d\d/gm, 'TIME')).toBe(
      'TIME  +15550100002  "say \\"hi\\""\nTIME  chat831  +15550100002  "all"\n',
    );
    abort.abort();
    await done;
    expect(clock.pending).toBe(0);
  });

  it('prints what came after --since first, as JSON with --json', async () => {
    const { clock, printed } = watching('--json', '--since', '0');
    await waitFor('the start', () => clock.pending > 0);
    expect(JSON.parse(printed.out)).toEqual({
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

  it('refuses a --since that is no ROWID', async () => {
    const { command, printed } = program();
    registerWatch(command, {
      resolveDbPath: () => 'none',
      signal: AbortSignal.abort(),
      clock: new FakeClock(),
      telemetry: silentTelemetry,
    });
    for (const sub of command.commands) sub.exitOverride();
    await expect(command.parseAsync(['watch', '--since', 'noon'], { from: 'user' })).rejects.toThrow('It is a ROWID');
    expect(printed.err).toContain('It is a ROWID');
  });
});
