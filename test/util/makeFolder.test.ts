import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/util/makeFolder.ts';
import { tempDir } from '../support/tempDir.ts';

describe('makeFolder', () => {
  it('makes each folder that is missing, for this user alone, and leaves those that are there', () => {
    const dir = tempDir();
    const mode = statSync(dir).mode;
    makeFolder(join(dir, 'a/b'));
    makeFolder(join(dir, 'a/b'));
    for (const made of ['a', 'a/b']) expect(statSync(join(dir, made)).mode & 0o777).toBe(0o700);
    expect(statSync(dir).mode).toBe(mode);
  });

  it('throws where a file, or a link that leads nowhere, is in the way', () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'file'), '');
    symlinkSync(join(dir, 'nowhere'), join(dir, 'link'));
    for (const name of ['file', 'link', 'file/below', 'link/below']) {
      expect(() => makeFolder(join(dir, name))).toThrow('mkdir');
    }
  });

  it.runIf(existsSync('/proc/self'))('throws where a folder takes none, instead of trying for ever', () => {
    expect(() => makeFolder('/proc/none/state')).toThrow("mkdir '/proc/none'");
  });
});
