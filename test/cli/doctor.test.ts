import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ChatDbFile } from '../chatdb/support/chatDbFile.ts';
import { edgeAgent, home } from './edgeAgent.ts';

const ON_CHATDB = ['doctor', '--only', 'chat.db', '--only', 'schema'];

function homeWith(without: readonly string[]): { dir: string; config: string; file: ChatDbFile } {
  const { dir, config } = home();
  const file = new ChatDbFile(join(dir, 'chat.db'), { title: '', macos: 26, without, extra: [] });
  onTestFinished(() => file.close());
  file.message('A-1', { text: 'hello' });
  return { dir, config, file };
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

describe('edge-agent doctor without a configuration that can be used', () => {
  const judged = async (config: string, home: string, only: readonly string[]) => {
    const args = ['doctor', '--json', ...only.flatMap((name) => ['--only', name]), '--config', config];
    const { code, out, err } = await edgeAgent(args, { env: { HOME: home } });
    const { checks } = JSON.parse(out) as { checks: { name: string; status: string; text: string; fix: string }[] };
    return { code, err, found: Object.fromEntries(checks.map((check) => [check.name, check])) };
  };

  it('fails the configuration with each place, looks at what the rest of it tells, and skips what it does not', async () => {
    const { dir, config } = homeWith([]);
    const lines = readFileSync(config, 'utf8').split('\n');
    writeFileSync(config, [...lines, 'power:', '  keep_awak: true', ''].join('\n').replace('http://', 'ftp://'));
    const only = ['node', 'chat.db', 'schema', 'disk', 'sleep', 'clock', 'service', 'connection'];
    const { code, err, found } = await judged(config, dir, only);
    expect({ code, err }).toEqual({ code: 2, err: '' });
    expect(found.config).toMatchObject({
      status: 'fail',
      text: expect.stringMatching(/^EDGE_CONFIG_INVALID: .*:4:8 {2}backend\.url.*; .*power\.keep_awak/),
      fix: expect.stringContaining('edge-agent check-config'),
    });
    expect(found).toMatchObject({
      node: { status: 'pass' },
      'chat.db': { status: 'pass' },
      schema: { status: 'pass' },
      disk: { status: expect.stringMatching(/pass|warn/) },
      sleep: { status: 'skip', text: expect.stringContaining('does not tell power; see the check config') },
      clock: { status: 'skip', text: expect.stringContaining('does not tell backend') },
      connection: { status: 'skip' },
    });
    expect(found.service?.text).not.toContain('not looked at');
  });

  it('goes by the defaults where there is no file yet, and says how to come by one', async () => {
    const { dir } = home();
    const { code, found } = await judged(join(dir, 'none.yaml'), dir, ['chat.db', 'disk', 'connection']);
    expect(code).toBe(2);
    expect(found).toMatchObject({
      config: {
        status: 'fail',
        text: expect.stringContaining('there is no such file'),
        fix: expect.stringContaining('edge-agent service install'),
      },
      'chat.db': { text: expect.stringContaining(join(dir, 'Library/Messages/chat.db')) },
      disk: { status: expect.stringMatching(/pass|warn/) },
      connection: { status: 'skip' },
    });
  });
});
