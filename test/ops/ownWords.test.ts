import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logLines } from '../../src/ops/diagnose/logLines.ts';
import { ownWords } from '../../src/ops/diagnose/ownWords.ts';
import { Redaction } from '../../src/ops/diagnose/Redaction.ts';
import { tempDir } from '../support/tempDir.ts';

describe('ownWords', () => {
  it.each([
    'EDGE_BACKEND_REJECTED: sync failed: POST /edge/sync was answered 302 to https://b.example.com/?said=canary',
    'EDGE_CONFIG_INVALID: SIGHUP: the configuration stays as it was: a.b: value was "say \\"canary\\" now", expected 1',
    'what answers is no agent: Unexpected token \'s\', "say "canary" now" is not valid JSON',
    '❌ Command c-1 failed: unsupported command_type: canary',
    'The backend refused the WebSocket with 403: Wrong secret. It said: canary',
    'WebSocket closed: code=4000, reason=canary',
    'Send 7 to …0002 failed: execution error: canary (-1728)',
    'the answer cannot be used: “say “canary” now”',
    '[2026-01-01T00:00:00.000Z] [INFO] half a line[2026-01-01T00:00:00.000Z] [DEBUG] Message says canary',
  ])('leaves out what others say in: %s', (line) => {
    expect(ownWords(line)).not.toContain('canary');
  });

  it('keeps what it is about', () => {
    expect(ownWords('POST /edge/sync was answered 302 to https://b.example.com/')).toBe(
      'POST /edge/sync was answered 302 to […]',
    );
    expect(ownWords("ENOENT: no such file or directory, open 'state.db'")).toContain("open 'state.db'");
  });
});

describe('a bundle', () => {
  it.each(['"', '[', '{', '“'])('has no beginning of a secret that holds %s', (mark) => {
    const redaction = new Redaction({ secret: () => `canary-of-${mark}a-secret` });
    const path = join(tempDir(), 'a.log');
    const line = `[2026-01-01T00:00:00.000Z] [WARN] the backend said canary-of-${mark}a-secret`;
    writeFileSync(path, `${line}\n`);
    const lines = redaction.value(logLines(path, redaction)) as string[];
    expect(lines).toEqual([expect.stringContaining('the backend said')]);
    expect(lines[0]).not.toContain('canary');
  });
});
