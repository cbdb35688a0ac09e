import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SecretSource } from '../../src/config/SecretSource.ts';
import { briefly, judge } from '../../src/messaging/scriptErrors.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { ERRORS } from '../../src/util/errors.ts';
import { tempDir } from '../support/tempDir.ts';
import { FUZZ_MS, fuzz } from './fuzzing.ts';
import { damagedBytes } from './inputs.ts';

const SAYINGS = [
  '45:94: execution error: Messages got an error: Can’t get chat id "any;-;+15550100002". (-1728)\n',
  'osascript[1:2] warning\n45:94: execution error: Messages got an error: AppleEvent timed out. (-1712)\n',
  '0:4: syntax error: Expected expression but found unknown token. (-2741)\n',
  "osascript: can't open default scripting component.\n",
  '1:2: execution error: “(-600)” (12345678901234567890) (-1743) (x)\n',
].map((text) => Buffer.from(text));
/** What the table says beside what osascript says, characters. */
const MAX_DETAIL = 1000;

it('makes a verdict of whatever osascript prints, and repeats no more than a line', { timeout: FUZZ_MS }, () =>
  fuzz('osascript', 3000, damagedBytes(SAYINGS), (bytes) => {
    for (const exitCode of [0, 1, 255, null]) {
      const said = { exitCode, stdout: bytes.toString(), stderr: bytes.toString() };
      const verdict = judge({ ...said, timedOut: false });
      if (verdict.kind === 'accepted') {
        expect(exitCode).toBe(0);
        continue;
      }
      expect(['next-form', 'paused', 'failed', 'unknown']).toContain(verdict.kind);
      expect(Object.hasOwn(ERRORS, verdict.code)).toBe(true);
      expect(verdict.detail.length).toBeLessThan(MAX_DETAIL);
      expect(briefly(verdict.code, verdict.detail).length).toBeLessThanOrEqual(verdict.detail.length);
      expect(judge({ ...said, timedOut: true })).toMatchObject({ kind: 'unknown' });
    }
  }),
);

const SECRETS = ['a-good-secret\n', '\ufeffsecret', ' \t\n', 'two\r\nX-Header: lines', 'x'.repeat(5000), 'ü', 'a\0b'];
const secrets = fc.oneof(
  damagedBytes(SECRETS.map((text) => Buffer.from(text))),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);

/** The secret fits into a header, or there is none and the reason does not repeat what was read. */
function isSecretOrNone(source: SecretSource, read: string): void {
  const { known, problem } = source;
  if (known !== undefined) {
    expect(known).toMatch(/^[\x21-\x7e]([\x20-\x7e]{0,4094}[\x21-\x7e])?$/);
    expect(read).toContain(known);
    return;
  }
  expect(problem).toBeInstanceOf(EdgeError);
  if (read.trim().length > 8) expect(problem!.message).not.toContain(read.trim());
}

it('takes of what `security` prints a secret that a header can carry, or none', { timeout: FUZZ_MS }, () =>
  fuzz('keychain', 2000, secrets, async (bytes) => {
    const source = new SecretSource({
      environment: undefined,
      file: undefined,
      keychain: { service: 'edge-relay', account: 'edge' },
      readKeychain: async () => bytes.toString(),
    });
    await source.load();
    isSecretOrNone(source, bytes.toString());
  }),
);

it('takes of a file a secret that a header can carry, or none', { timeout: FUZZ_MS }, () => {
  const file = join(tempDir(), 'secret');
  writeFileSync(file, '');
  chmodSync(file, 0o600);
  return fuzz('secret-file', 1000, secrets, async (bytes) => {
    writeFileSync(file, bytes);
    const options = { environment: undefined, file, keychain: undefined, readKeychain: async () => '' };
    const source = new SecretSource(options);
    await source.load();
    isSecretOrNone(source, bytes.toString());
  });
});
