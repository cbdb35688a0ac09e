import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examine } from '../../src/ops/doctor/examine.ts';
import { ChatDbFile } from '../chatdb/support/chatDbFile.ts';
import { edgeAgent, home } from './edgeAgent.ts';

function homeWith(without: readonly string[]): { config: string; file: ChatDbFile } {
  const { dir, config } = home();
  const file = new ChatDbFile(join(dir, 'chat.db'), { title: '', macos: 26, without, extra: [] });
  onTestFinished(() => file.close());
  file.message('A-1', { text: 'hello' });
  return { config, file };
}

describe('edge-agent doctor', () => {
  it('finds nothing amiss in a chat.db that is whole, while Messages has it open', async () => {
    const { config, file } = homeWith([]);
    expect(await edgeAgent(['doctor', '--only', 'chat.db', '--config', config])).toEqual({
      code: 0,
      signal: null,
      out: `pass  chat.db: ${file.path} can be read; its newest message has ROWID 1
pass  chat.db schema: nothing is missing of what this macOS tells\n`,
      err: '',
    });
  });

  it('warns of the features that are missing, with exit code 1', async () => {
    const { config } = homeWith(['message.date_edited', 'message_attachment_join']);
    const { code, out } = await edgeAgent(['doctor', '--only', 'chat.db', '--json', '--config', config]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      status: 'warn',
      checks: [
        { name: 'chat.db', status: 'pass', text: expect.any(String), fix: null },
        {
          name: 'chat.db schema',
          status: 'warn',
          text: 'chat.db does not tell: edits (message.date_edited); attachments (table message_attachment_join)',
          fix: expect.stringContaining('report the macOS version'),
        },
      ],
      connection: null,
    });
  });

  it('fails where a required column is missing, with exit code 2', async () => {
    const { config } = homeWith(['message.is_from_me']);
    const { code, out } = await edgeAgent(['doctor', '--only', 'chat.db', '--json', '--config', config]);
    const { checks } = JSON.parse(out);
    expect(code).toBe(2);
    expect(checks[0].status).toBe('pass');
    expect(checks[1]).toMatchObject({
      status: 'fail',
      text: expect.stringMatching(/^EDGE_CHATDB_SCHEMA: .*lacks message\.is_from_me$/),
    });
  });

  it.each([
    ['missing', undefined, 'EDGE_CHATDB_MISSING', 'Sign in to Messages'],
    ['damaged', Buffer.alloc(8192, 'garbage '), 'EDGE_CHATDB_CORRUPT', 'repair'],
  ])('tells a chat.db that is %s, and what to do', async (_name, content, code, fix) => {
    const { dir, config } = home();
    if (content) writeFileSync(join(dir, 'chat.db'), content);
    const ended = await edgeAgent(['doctor', '--only', 'chat.db', '--config', config]);
    expect(ended.code).toBe(2);
    expect(ended.out).toMatch(new RegExp(`^fail {2}chat\\.db: ${code}: .*\\n {6}.*${fix}`));
    expect(ended.out).toContain('warn  chat.db schema: not looked at');
  });

  it('makes a finding of a check that throws, and runs the others', async () => {
    const throwing = { name: 'a', run: () => Promise.reject(new Error('oops')) };
    const passing = { name: 'b', run: () => ({ status: 'pass', text: 'fine', fix: undefined }) as const };
    expect(await examine([throwing, passing])).toMatchObject({
      status: 'fail',
      checks: [
        { name: 'a', status: 'fail', text: 'EDGE_INTERNAL: oops' },
        { name: 'b', status: 'pass' },
      ],
    });
  });
});
