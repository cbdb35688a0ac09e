import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChatDbFile } from '../chatdb/support/chatDbFile.ts';
import { edgeAgent, home } from './edgeAgent.ts';

const ON_CHATDB = ['doctor', '--only', 'chat.db', '--only', 'schema'];

function homeWith(without: readonly string[]): { config: string; file: ChatDbFile } {
  const { dir, config } = home();
  const file = new ChatDbFile(join(dir, 'chat.db'), { title: '', macos: 26, without, extra: [] });
  onTestFinished(() => file.close());
  file.message('A-1', { text: 'hello' });
  return { config, file };
}

describe('edge-agent doctor --only chat.db --only schema', () => {
  it('finds nothing amiss in a chat.db that is whole, while Messages has it open', async () => {
    const { config, file } = homeWith([]);
    const { code, out, err } = await edgeAgent([...ON_CHATDB, '--config', config]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(`pass  chat.db  ${file.path} can be read; its newest message has ROWID 1`);
    expect(out).toMatch(/^pass {2}schema {3}nothing is missing of what this macOS tells\n\n2 pass\n$/m);
  });

  it('warns of the features that are missing, with exit code 1', async () => {
    const { config } = homeWith(['message.date_edited', 'message_attachment_join']);
    const { code, out } = await edgeAgent([...ON_CHATDB, '--json', '--config', config]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      status: 'warn',
      checks: [
        { name: 'chat.db', status: 'pass', text: expect.any(String), fix: null, ms: expect.any(Number) },
        {
          name: 'schema',
          status: 'warn',
          text: 'chat.db does not tell: edits (message.date_edited); attachments (table message_attachment_join)',
          fix: expect.stringContaining('report the macOS version'),
          ms: expect.any(Number),
        },
      ],
      connection: null,
    });
  });

  it('fails where a required column is missing, with exit code 2', async () => {
    const { config } = homeWith(['message.is_from_me']);
    const { code, out } = await edgeAgent([...ON_CHATDB, '--json', '--config', config]);
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
    const ended = await edgeAgent([...ON_CHATDB, '--config', config]);
    expect(ended.code).toBe(2);
    expect(ended.out).toMatch(new RegExp(`^fail {2}chat\\.db {2}${code}: .*\\n {15}do: .*${fix}`));
    expect(ended.out).toContain('skip  schema   not looked at');
  });
});
