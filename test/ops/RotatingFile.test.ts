import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogReader } from '../../src/ops/logs/LogReader.ts';
import { RotatingFile } from '../../src/ops/RotatingFile.ts';
import { tempDir } from '../support/tempDir.ts';

const source = resolve(import.meta.dirname, '../../src/ops/RotatingFile.ts');

function rotating(path: string, maxBytes = 1000, maxFiles = 3): RotatingFile {
  return new RotatingFile({ path, maxBytes, maxFiles, lostLine: (count, reason) => `lost ${count}: ${reason}\n` });
}

function inodeOf(descriptor: number): number | undefined {
  try {
    return fstatSync(descriptor).ino;
  } catch {
    return undefined; // not open
  }
}

describe('RotatingFile', () => {
  it('creates the file and its folder for this user alone', () => {
    const path = join(tempDir(), 'logs', 'x.log');
    rotating(path).write('one\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('loses none of 100,000 lines over its rotations and those of another program, which a reader follows', () => {
    const path = join(tempDir(), 'x.log');
    const file = rotating(path, 200_000, 3);
    const reader = new LogReader(path);
    const kept: string[] = [];
    let followed = 0;
    const follow = () => {
      for (const line of reader.more()) {
        if (line !== `line ${followed}`) throw new Error(`${line} came where line ${followed} was to`);
        followed += 1;
      }
    };
    for (let n = 0; n < 100_000; n++) {
      file.write(`line ${n}\n`);
      if (n % 2_500 === 0) follow();
      if (n === 20_000 || n === 30_000) {
        // As logrotate does, keeping a file for itself; the oldest of ours are deleted all the same.
        renameSync(path, `${path}.moved-${n}`);
        kept.push(`${path}.moved-${n}`);
      }
    }
    follow();
    reader.close();
    expect(followed).toBe(100_000);
    expect(readdirSync(join(path, '..')).sort()).toEqual(
      [path, `${path}.1`, `${path}.2`, ...kept].map((name) => basename(name)).sort(),
    );
    for (const name of [path, `${path}.1`, `${path}.2`]) expect(statSync(name).size).toBeLessThanOrEqual(200_000);
    const last = [`${path}.2`, `${path}.1`, path].flatMap((name) => readFileSync(name, 'utf8').trimEnd().split('\n'));
    const first = 100_000 - last.length;
    expect(last.findIndex((line, index) => line !== `line ${first + index}`)).toBe(-1);
  });

  it('goes on at its path when another program moved or deleted the file', () => {
    const path = join(tempDir(), 'logs', 'x.log');
    const file = rotating(path);
    file.write('one\n');
    renameSync(path, `${path}.0`);
    file.write('two\n');
    expect(readFileSync(path, 'utf8')).toBe('two\n');
    rmSync(join(path, '..'), { recursive: true });
    file.write('three\n');
    expect(readFileSync(path, 'utf8')).toBe('three\n');
  });

  it('does not wait at a FIFO that nobody reads', () => {
    const path = join(tempDir(), 'x.log');
    spawnSync('mkfifo', [path]);
    const code = `import { RotatingFile } from ${JSON.stringify(source)};
      const file = new RotatingFile({ path: ${JSON.stringify(path)}, maxBytes: 100, maxFiles: 2, lostLine: () => '' });
      file.write('one\\n'); console.log(file.lost);`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { timeout: 5000 });
    expect(stdout.toString()).toBe('1\n');
  });

  it('keeps to its size and its number of files, the newest lines first', () => {
    const dir = tempDir();
    const file = rotating(join(dir, 'x.log'), 100, 3);
    for (let n = 0; n < 40; n++) file.write(`line ${String(n).padStart(4, '0')}\n`); // 10 bytes each
    expect(readdirSync(dir).sort()).toEqual(['x.log', 'x.log.1', 'x.log.2']);
    const lines = ['x.log.2', 'x.log.1', 'x.log'].flatMap((name) => {
      expect(statSync(join(dir, name)).size).toBeLessThanOrEqual(100);
      return readFileSync(join(dir, name), 'utf8').trimEnd().split('\n');
    });
    expect(lines).toEqual(Array.from({ length: 30 }, (_, n) => `line ${String(n + 10).padStart(4, '0')}`));
  });

  it('keeps one file when told to, and goes on in a file that exists', () => {
    const dir = tempDir();
    rotating(join(dir, 'x.log'), 20, 1).write('old line\n');
    const file = rotating(join(dir, 'x.log'), 20, 1);
    file.write('second\n');
    expect(readFileSync(join(dir, 'x.log'), 'utf8')).toBe('old line\nsecond\n');
    file.write('third one\n');
    expect(readdirSync(dir)).toEqual(['x.log']);
    expect(readFileSync(join(dir, 'x.log'), 'utf8')).toBe('third one\n');
  });

  it('counts the lines it cannot write, and tells of them with the first that it can', () => {
    const dir = tempDir();
    const path = join(dir, 'x.log');
    mkdirSync(path); // stands in the way
    const file = rotating(path);
    file.write('gone 1\n');
    file.write('gone 2\n');
    expect(file.lost).toBe(2);
    rmdirSync(path);
    file.write('back\n');
    expect(readFileSync(path, 'utf8')).toMatch(/^lost 2: EISDIR.*\nback\n$/);
    expect(file.lost).toBe(0);
  });

  it('says when the disk is full, and does not throw', () => {
    const file = rotating('/dev/full', 1_000_000);
    file.write('gone\n');
    expect(file.lost).toBe(1);
  });

  it('begins a new line after one of which only a part could be written', () => {
    const path = join(tempDir(), 'x.log');
    // RLIMIT_FSIZE cuts a write in two, as a disk that fills up does; a shorter file makes room again.
    const script = `import { statSync, truncateSync } from 'node:fs';
      import { RotatingFile } from ${JSON.stringify(source)};
      const path = ${JSON.stringify(path)};
      const lostLine = (count, reason) => 'lost ' + count + ': ' + reason + '\\n';
      const file = new RotatingFile({ path, maxBytes: 1e6, maxFiles: 2, lostLine });
      while (file.lost === 0) file.write('x'.repeat(96) + '\\n');
      truncateSync(path, statSync(path).size - 194);
      file.write('back\\n');`;
    const args = ['-c', 'ulimit -f 4; exec "$0" --input-type=module -e "$1"', process.execPath, script];
    expect(spawnSync('bash', args, { encoding: 'utf8' })).toMatchObject({ status: 0 });
    expect(readFileSync(path, 'utf8')).toMatch(/x\nx{1,95}\nlost 1: EFBIG.*\nback\n$/);
  });

  it('goes on when its descriptor was closed under it', () => {
    const path = join(tempDir(), 'x.log');
    const file = rotating(path);
    file.write('one\n');
    const inode = statSync(path).ino;
    for (let descriptor = 3; descriptor < 256; descriptor++) {
      if (inodeOf(descriptor) === inode) closeSync(descriptor);
    }
    file.write('two\n');
    file.write('three\n');
    expect(readFileSync(path, 'utf8')).toMatch(/^one\nlost 1: EBADF.*\nthree\n$/);
  });

  it('begins again at its path after the file was moved', () => {
    const path = join(tempDir(), 'x.log');
    const file = rotating(path);
    file.write('one\n');
    renameSync(path, `${path}.moved`);
    file.close();
    file.write('two\n');
    file.flush();
    expect(readFileSync(path, 'utf8')).toBe('two\n');
  });
});
