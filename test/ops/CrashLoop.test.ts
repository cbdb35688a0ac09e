import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CrashLoop } from '../../src/ops/CrashLoop.ts';
import { crashLoopPart } from '../../src/ops/crashLoopPart.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { recordingTelemetry } from '../support/recordingTelemetry.ts';
import { tempDir } from '../support/tempDir.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

function world() {
  const path = join(tempDir(), 'crash-loop.json');
  const clock = new FakeClock();
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line), error() {} };
  /** A process of its own: knows only the file. */
  const process = () => new CrashLoop({ path, clock, logger });
  /** Starts, sits out its hold, is up for so long, and fails. Returns how long it was held back, ms. */
  const fails = async (o: { upMs?: number; code?: string } = {}) => {
    const loop = process();
    const { holdMs } = loop;
    await clock.advance(holdMs);
    loop.begun();
    await clock.advance(o.upMs ?? SECOND);
    loop.failed(o.code ?? 'EDGE_STATE_IO');
    return holdMs;
  };
  return { path, clock, warnings, process, fails };
}

describe('the ladder', () => {
  it('holds back the sixth start 30 s, then 2, 5 and 15 min, and no longer than that', async () => {
    const { fails } = world();
    const holds: number[] = [];
    for (let n = 0; n < 11; n++) holds.push(await fails());
    const early = [0, 0, 0, 0, 0];
    expect(holds).toEqual([...early, ...[0.5, 2, 5, 15, 15, 15].map((minutes) => minutes * MINUTE)]);
  });

  it.each([
    ['fails within a minute', 59 * SECOND, 2 * MINUTE],
    ['fails after a minute', 61 * SECOND, 30 * SECOND],
  ])('one that %s of its start', async (_title, upMs, next) => {
    const { fails, process } = world();
    for (let n = 0; n < 5; n++) await fails();
    await fails({ upMs });
    expect(process().holdMs).toBe(next);
  });

  it('does not begin with failures that come late', async () => {
    const { fails, path } = world();
    for (let n = 0; n < 10; n++) expect(await fails({ upMs: 2 * MINUTE })).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  it('counts from the last failure: time that nobody ran is time waited', async () => {
    const { fails, process, clock } = world();
    for (let n = 0; n < 5; n++) await fails();
    await clock.advance(10 * SECOND);
    expect(process().holdMs).toBe(20 * SECOND);
    await clock.advance(MINUTE);
    expect(process().holdMs).toBe(0);
  });

  it('holds back no longer than its step when the wall clock was set back', async () => {
    const { fails, process, clock } = world();
    for (let n = 0; n < 5; n++) await fails();
    clock.jumpWall(-24 * 60 * MINUTE);
    expect(process().holdMs).toBe(30 * SECOND);
  });

  it('forgets all after an orderly stop', async () => {
    const { fails, process } = world();
    for (let n = 0; n < 7; n++) await fails();
    process().forget();
    expect(process().condition).toBe(undefined);
    for (let n = 0; n < 5; n++) expect(await fails()).toBe(0);
  });

  it('leaves the count as it is when the process is killed', async () => {
    const { fails, process } = world();
    for (let n = 0; n < 4; n++) await fails();
    for (let n = 0; n < 10; n++) process().begun();
    expect(await fails()).toBe(0);
    expect(process().holdMs).toBe(30 * SECOND);
  });
});

describe('the condition', () => {
  it('stands from the fifth failure on and names the last code', async () => {
    const { fails, process } = world();
    for (let n = 0; n < 4; n++) await fails();
    expect(process().condition).toBe(undefined);
    await fails({ code: 'EDGE_INTERNAL' });
    expect(process().condition).toMatchObject({
      code: 'EDGE_CRASH_LOOP',
      detail: expect.stringContaining('5 failures in a row within 60 s of a start, the last with EDGE_INTERNAL'),
    });
  });

  it('is told by the agent that starts after it, until it has been up for ten minutes', async () => {
    const { fails, process, clock, path } = world();
    for (let n = 0; n < 5; n++) await fails();
    const { telemetry, calls } = recordingTelemetry();
    const part = crashLoopPart(process(), { clock, telemetry });
    part.start();
    await clock.advance(10 * MINUTE - 1);
    expect(calls).toEqual([
      { event: 'conditionRaised', args: ['EDGE_CRASH_LOOP', expect.stringContaining('EDGE_STATE_IO')] },
    ]);
    await clock.advance(1);
    expect(calls.at(-1)).toEqual({ event: 'conditionCleared', args: ['EDGE_CRASH_LOOP'] });
    expect(existsSync(path)).toBe(false);
    part.stop();
  });
});

describe('the file', () => {
  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"count":0}',
    '{"count":9e99}',
    '{"count":9,"last_code":"EDGE_INTERNAL","last_at":8999999999999999}',
    '{"count":9,"last_code":"<b>","last_at":1}',
    '\0\0',
  ])('counts as none when it holds %j', async (garbage) => {
    const { path, process, fails } = world();
    writeFileSync(path, garbage);
    expect(process().holdMs).toBe(0);
    expect(process().condition).toBe(undefined);
    await fails();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ count: 1, last_code: 'EDGE_STATE_IO' });
  });

  it('that cannot be written or deleted is told of and stops nothing', async () => {
    const { path, warnings, process, fails } = world();
    mkdirSync(path);
    writeFileSync(join(path, 'in the way'), '');
    await fails();
    process().forget();
    expect(warnings).toEqual([
      expect.stringContaining('cannot be written'),
      expect.stringContaining('cannot be deleted'),
    ]);
    rmSync(path, { recursive: true });
  });
});
