import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RunMark } from '../../src/ops/RunMark.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { tempDir } from '../support/tempDir.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function world() {
  const stateDir = tempDir();
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line), error() {} };
  /** A run that is killed when it was up for so long; its process knows only the file. */
  const killed = async (upMs: number) => {
    const life = new FakeClock(clock.now());
    new RunMark({ stateDir, clock: life, logger }).begun();
    await life.advance(upMs);
    await clock.advance(upMs);
  };
  return { stateDir, clock, warnings, killed, process: () => new RunMark({ stateDir, clock, logger }) };
}

it('a start after a kill says once that there was one and when, to a minute', async () => {
  const { clock, warnings, killed, process } = world();
  await killed(2 * HOUR + 30_000);
  await clock.advance(5 * HOUR);
  expect(warnings).toEqual([]);
  const mark = process();
  mark.begun();
  expect(warnings).toEqual([expect.stringMatching(/killed .*lost its power, at about 2026-01-01T02:00:00.000Z$/)]);
  expect(process().killed).toEqual({ at: Date.UTC(2026, 0, 1, 2), today: 1 });
  mark.ended();
  process().begun();
  expect(warnings).toHaveLength(1);
  expect(process().killed).toBeUndefined();
});

it('dates a kill by the last line of the log where that is the later, and of the same run', async () => {
  const { stateDir, clock, killed, process } = world();
  const beat = clock.now();
  await killed(30_000);
  const dated = (line: number | undefined) => new RunMark({ stateDir, clock, lastLineAt: () => line }).lastAlive;
  expect([dated(undefined), dated(beat - 1), dated(beat + 25_000)]).toEqual([beat, beat, beat + 25_000]);
  // That of a start that was held back.
  expect(dated(beat + MINUTE + 1)).toBe(beat);

  new RunMark({ stateDir, clock, lastLineAt: () => beat + 25_000 }).begun();
  const mark = process();
  expect(mark.killed).toEqual({ at: beat + 25_000, today: 1 });
  expect(mark.lastAlive).toBe(clock.now());
});

it('knows with what a run ended by itself, until the next begins', () => {
  const { clock, process } = world();
  const mark = process();
  mark.begun();
  expect(process().failure).toBeUndefined();
  mark.ended('EDGE_STATE_IO');
  expect(process().failure).toEqual({ code: 'EDGE_STATE_IO', at: clock.now() });
  expect(process().killed).toBeUndefined();
  const next = process();
  next.begun();
  expect(process().failure).toBeUndefined();
  expect(process().failureBefore).toMatchObject({ code: 'EDGE_STATE_IO' });
  next.ended();
  expect([process().failure, process().failureBefore]).toEqual([undefined, undefined]);
});

it('tells of the kill of the last run, not of how the one before it ended', () => {
  const { process } = world();
  const failed = process();
  failed.begun();
  failed.ended('EDGE_STATE_IO');
  process().begun(); // and is killed
  const mark = process();
  mark.begun();
  expect(mark.killed).toBeDefined();
  expect(mark.failureBefore).toBeUndefined();
});

it('counts the kills of a day, the last one included', async () => {
  const { clock, warnings, killed, process } = world();
  await killed(HOUR);
  await clock.advance(23 * HOUR);
  for (let n = 0; n < 3; n++) await killed(HOUR);
  process().begun();
  expect(process().killed?.today).toBe(3);
  expect(warnings.at(-1)).toContain(', 3 times within a day');
});

it.each([
  ['is told to stop', (mark: RunMark) => mark.ended()],
  ['never was more than asked', () => undefined],
])('says nothing of a process that %s', (_name, end) => {
  const { warnings, process } = world();
  const mark = process();
  if (end.length > 0) mark.begun();
  end(mark);
  process().begun();
  expect(warnings).toEqual([]);
});

it('takes a file that is half there for none, and one that cannot be written for no reason to end', () => {
  const { stateDir, warnings, process, clock } = world();
  writeFileSync(join(stateDir, 'run.json'), '{"is_run');
  process().begun();
  expect(warnings).toEqual([]);
  expect(JSON.parse(readFileSync(join(stateDir, 'run.json'), 'utf8'))).toMatchObject({ is_running: true });
  const logger = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line), error() {} };
  new RunMark({ stateDir: join(stateDir, 'none'), clock, logger }).begun();
  expect(warnings).toEqual([expect.stringContaining('cannot be written')]);
});
