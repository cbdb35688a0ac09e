import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions } from '../../src/ops/log.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';

function log(options: Partial<LogOptions> = {}) {
  const file = join(tempDir(), 'edge-agent.log');
  const made = createLog({
    file,
    level: 'info',
    format: 'text',
    maxBytes: 1_000_000,
    maxFiles: 2,
    clock: new FakeClock(Date.UTC(2026, 10, 15, 6, 38, 44, 699)),
    ...options,
  });
  return { ...made, setLevel: made.setLevel, text: () => readFileSync(file, 'utf8') };
}

describe('the log as text', () => {
  it('has the format that operators’ tools read', () => {
    const { logger, text } = log();
    logger.error('WebSocket error:', 'Unexpected server response: 403');
    logger.info('Command delivery: Real-time via WebSocket 🚀');
    expect(text()).toBe(
      '[2026-11-15T06:38:44.699Z] [ERROR] WebSocket error: ["Unexpected server response: 403"]\n' +
        '[2026-11-15T06:38:44.699Z] [INFO] Command delivery: Real-time via WebSocket 🚀\n',
    );
  });

  it('makes a line of every entry and never steers a terminal', () => {
    const { logger, text } = log();
    logger.warn('a\nb\r\nc\u001b[31m\u2028d\u0085\u007f %s %d', 'e\nf');
    expect(text()).toBe(
      '[2026-11-15T06:38:44.699Z] [WARN] a\\nb\\r\\nc\\u001b[31m\\u2028d\\u0085\\u007f %s %d ["e\\nf"]\n',
    );
  });

  it('writes what its level lets through, and the level can change', () => {
    const { logger, setLevel, text } = log({ level: 'warn' });
    logger.info('no');
    setLevel('debug');
    logger.debug('yes');
    expect(text()).toBe('[2026-11-15T06:38:44.699Z] [DEBUG] yes\n');
  });

  it('takes errors, circles and nothing as arguments, and cuts what is very long', () => {
    const { logger, text } = log();
    const circle: Record<string, unknown> = { name: 'x' };
    circle.self = circle;
    logger.info('odd', new Error('broken'), circle, undefined, 10n);
    logger.info('x'.repeat(100_000));
    logger.info('long', 'y'.repeat(100_000));
    const lines = text().split('\n');
    expect(lines[0]).toContain('odd ["broken",{"name":"x","self":"[Circular]"}');
    expect(lines[1]).toHaveLength(8192 + '[2026-11-15T06:38:44.699Z] [INFO] '.length + '… (100000 characters)'.length);
    expect(lines[2]!.length).toBeLessThan(8400);
  });

  it('never writes what is to be hidden, whoever hands it over', () => {
    const { logger, text } = log({ hide: () => 'canary' });
    logger.error('the backend said: Bearer canary', { header: 'Bearer canary' });
    expect(text()).toContain('Bearer [secret]');
    expect(text()).not.toContain('canary');
  });
});

describe('the log as JSON', () => {
  it('is an object a line', () => {
    const { logger, text } = log({ format: 'json' });
    logger.error('WebSocket error:', 'x\ny');
    logger.info('plain');
    expect(
      text()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { level: 'error', time: '2026-11-15T06:38:44.699Z', msg: 'WebSocket error:', args: ['x\ny'] },
      { level: 'info', time: '2026-11-15T06:38:44.699Z', msg: 'plain' },
    ]);
  });
});
