import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/ConfigError.ts';
import { findConfig, loadConfig } from '../../src/config/loadConfig.ts';
import { websocketUrl } from '../../src/config/websocketUrl.ts';
import { tempDir } from '../support/tempDir.ts';
import { and, BROKEN, GOOD } from './brokenFiles.ts';

/** The problems of a file, each without the name of the file. */
function problemsOf(text: string | Buffer): string[] {
  const file = join(tempDir(), 'config.yaml');
  writeFileSync(file, text);
  try {
    loadConfig(file);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).code).toBe('EDGE_CONFIG_INVALID');
    return (error as ConfigError).message.split('\n').map((line) => line.replace(`${file}:`, '').replace(file, ''));
  }
}

describe('loadConfig', () => {
  it.each(BROKEN)('refuses %s and says where', (_name, text, expected) => {
    const problems = problemsOf(text);
    expect(problems).toEqual(expected.map((one) => (typeof one === 'string' ? one : expect.stringMatching(one))));
    expect(problems.join('\n')).not.toContain('canary');
  });

  it('refuses a file that is not there, and a folder', () => {
    const dir = tempDir();
    expect(() => loadConfig(join(dir, 'none.yaml'))).toThrow(
      /none.yaml {2}there is no such file; copy config.yaml.example/,
    );
    expect(() => loadConfig(dir)).toThrow(/is a folder, expected a YAML file/);
  });

  it('fills in the defaults, expands ~ and takes relative paths from the folder of the file', () => {
    const dir = tempDir();
    mkdirSync(join(dir, 'etc'));
    const file = join(dir, 'etc', 'config.yaml');
    writeFileSync(
      file,
      and('imessage:\n  db_path: ../chat.db\nstate:\n  dir: /var/edge\n').replace(
        'edge:\n',
        'edge:\n  secret_file: secret\n',
      ),
    );
    const config = loadConfig(file);
    expect(config.imessage.db_path).toBe(join(dir, 'chat.db'));
    expect(config.edge.secret_file).toBe(join(dir, 'etc', 'secret'));
    expect(config.state.dir).toBe('/var/edge');
    expect(config.logging.file).toBe(join(homedir(), 'Library/Logs/edge-agent/edge-agent.log'));
    expect(config.backend.sync_interval_seconds).toBe(30);
    expect(config.privacy.threads.deny).toEqual([]);
  });

  it('accepts a BOM, CRLF, anchors, sections without a value, and http to this machine', () => {
    expect(problemsOf(`\ufeff${GOOD.replaceAll('\n', '\r\n')}`)).toEqual([]);
    expect(problemsOf(and('privacy:\nstate:\n  dir: &d /x\nimessage:\n  db_path: *d\n'))).toEqual([]);
    for (const host of ['localhost:3000', '127.0.0.1', '[::1]:3000']) {
      expect(problemsOf(GOOD.replace('https://backend.example.com', `http://${host}`))).toEqual([]);
    }
    expect(problemsOf(`${GOOD.replace('https', 'http')}  allow_insecure: true\n`)).toEqual([]);
  });

  it('has no side effect', () => {
    const dir = tempDir();
    const file = join(dir, 'config.yaml');
    writeFileSync(file, and('state:\n  dir: state\nlogging:\n  file: log/x.log\n'));
    loadConfig(file);
    expect(readdirSync(dir)).toEqual(['config.yaml']);
  });
});

describe('findConfig', () => {
  it('takes the file named, else ./config.yaml, else the user’s own', () => {
    const own = join(homedir(), '.config/edge-agent/config.yaml');
    expect(findConfig('x.yaml', '/cwd', existsSync)).toBe('x.yaml');
    expect(findConfig(undefined, '/cwd', () => true)).toBe('config.yaml');
    expect(findConfig(undefined, '/cwd', (path) => path === own)).toBe(own);
    expect(findConfig(undefined, '/cwd', () => false)).toBe('config.yaml');
  });
});

describe('websocketUrl', () => {
  const url = (backend: { url: string; websocket_url?: string }) => websocketUrl({ backend } as never);

  it('derives from backend.url, unless there is one of its own', () => {
    expect(url({ url: 'https://b.example.com' })).toBe('wss://b.example.com/edge/ws');
    expect(url({ url: 'http://127.0.0.1:3000/' })).toBe('ws://127.0.0.1:3000/edge/ws');
    expect(url({ url: 'https://b.example.com', websocket_url: 'wss://s.example.com/x' })).toBe(
      'wss://s.example.com/x/edge/ws',
    );
    expect(url({ url: 'https://b.example.com', websocket_url: 'wss://s.example.com/edge/ws' })).toBe(
      'wss://s.example.com/edge/ws',
    );
  });
});
