import { appendFileSync, copyFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogReader } from '../../src/ops/logs/LogReader.ts';
import { logFilter, readLogLine } from '../../src/ops/logs/logLine.ts';
import { RotatingFile } from '../../src/ops/RotatingFile.ts';
import { tempDir } from '../support/tempDir.ts';

const every = () => () => true;

function reading(path = join(tempDir(), 'x.log')) {
  const reader = new LogReader(path);
  onTestFinished(() => reader.close());
  return { path, reader };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `line ${from + n}`);

describe('LogReader', () => {
  it('shows the last lines through all files, in order', () => {
    const { path, reader } = reading();
    const file = new RotatingFile({ path, maxBytes: 100, maxFiles: 4, lostLine: () => '' });
    for (const line of numbers(0, 60)) file.write(`${line}\n`);
    expect(reader.last(25, every)).toEqual(numbers(35, 60));
    expect([...new LogReader(path).all()].at(-1)).toBe('line 59');
  });

  it('has nothing where there is no log, and begins with it', () => {
    const { path, reader } = reading();
    expect(reader.last(5, every)).toEqual([]);
    expect(reader.isOpen).toBe(false);
    expect([...reader.more()]).toEqual([]);
    writeFileSync(path, 'one\n');
    expect([...reader.more()]).toEqual(['one']);
  });

  it.each([1, 3, 7, 40])('follows over rotations, looking every %d lines: none twice, none lost', (every_) => {
    const { path, reader } = reading();
    // 11 lines a file, and files enough for what is written between two looks.
    const file = new RotatingFile({ path, maxBytes: 100, maxFiles: 6, lostLine: () => '' });
    file.write('line 0\n');
    const seen = reader.last(0, every);
    for (let n = 1; n <= 1000; n++) {
      file.write(`line ${n}\n`);
      if (n % every_ === 0) seen.push(...reader.more());
    }
    seen.push(...reader.more());
    expect(seen).toEqual(numbers(1, 1001));
  });

  it('follows when another program moves the file, as logrotate does, and when it empties it', () => {
    const { path, reader } = reading();
    writeFileSync(path, 'one\n');
    expect(reader.last(9, every)).toEqual(['one']);
    renameSync(path, `${path}.1`);
    expect([...reader.more()]).toEqual([]);
    appendFileSync(`${path}.1`, 'two\n'); // by a program that has not noticed yet
    expect([...reader.more()]).toEqual(['two']);
    appendFileSync(`${path}.1`, 'three\n');
    writeFileSync(path, 'four\n');
    expect([...reader.more()]).toEqual(['three', 'four']);
    renameSync(path, `${path}-2026`);
    writeFileSync(path, 'five\n');
    expect([...reader.more()]).toEqual(['five']);
    copyFileSync(path, `${path}.copy`);
    truncateSync(path);
    expect([...reader.more()]).toEqual([]);
    appendFileSync(path, 'six\n');
    expect([...reader.more()]).toEqual(['six']);
    rmSync(path);
    expect([...reader.more()]).toEqual([]);
    writeFileSync(path, 'seven\n');
    expect([...reader.more()]).toEqual(['seven']);
  });

  it('waits for the end of a line, and takes one that a full disk cut as it is', () => {
    const { path, reader } = reading();
    writeFileSync(path, 'one\ntw');
    expect(reader.last(9, every)).toEqual(['one']);
    appendFileSync(path, Buffer.from('o ☎').subarray(0, 3));
    expect([...reader.more()]).toEqual([]);
    appendFileSync(path, Buffer.from('o ☎\nthre').subarray(3));
    expect([...reader.more()]).toEqual(['two ☎']);
    renameSync(path, `${path}.1`);
    writeFileSync(path, 'four\n');
    expect([...reader.more()]).toEqual(['thre', 'four']);
  });
});

describe('a line of the log', () => {
  it.each([
    ['[2026-11-15T06:38:44.699Z] [WARN] EDGE_X: words', 'warn'],
    ['{"level":"warn","time":"2026-11-15T06:38:44.699Z","msg":"EDGE_X"}', 'warn'],
    ['[2026-11-15T06:38:44.699Z] [DEBUG] words', 'debug'],
  ])('says its time and level: %s', (line, level) => {
    expect(readLogLine(line)).toEqual({ at: Date.UTC(2026, 10, 15, 6, 38, 44, 699), level });
  });

  it('is chosen by level, words and time; what is no line goes with the one before it', () => {
    const lines = [
      '[2026-11-15T06:00:00.000Z] [ERROR] early',
      '[2026-11-15T07:00:00.000Z] [INFO] Backend up',
      '[2026-11-15T07:00:01.000Z] [ERROR] backend down',
      '    at somewhere',
      '{"level":"warn","time":"2026-11-15T07:00:02.000Z","msg":"slow"}',
    ];
    const since = Date.UTC(2026, 10, 15, 7);
    const chosen = (wanted: Parameters<typeof logFilter>[0]) => lines.filter(logFilter(wanted));
    expect(chosen({})).toEqual(lines);
    expect(chosen({ level: 'warn', since })).toEqual(lines.slice(2));
    expect(chosen({ level: 'error' })).toEqual([lines[0], lines[2], lines[3]]);
    expect(chosen({ grep: 'BACKEND' })).toEqual([lines[1], lines[2]]);
  });
});
