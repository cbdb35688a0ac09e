import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { KeepAwake } from '../../../src/ops/macos/KeepAwake.ts';
import { failStandIn, mendStandIn } from '../../../src/simulator/standIns/behave.ts';
import { installStandIns } from '../../../src/simulator/standIns/installStandIns.ts';
import { home, start } from '../../cli/edgeAgent.ts';
import { FakeClock } from '../../support/FakeClock.ts';
import { recordingTelemetry } from '../../support/recordingTelemetry.ts';
import { tempDir } from '../../support/tempDir.ts';
import { waitFor } from '../../support/waitFor.ts';

/** A Mac whose caffeinate is a stand-in. */
function mac() {
  const [bin, state] = [join(tempDir(), 'bin'), join(tempDir(), 'state')];
  installStandIns(bin, state);
  const PATH = `${bin}:${process.env.PATH}`;
  const calls = () =>
    existsSync(join(state, 'calls.log')) ? readFileSync(join(state, 'calls.log'), 'utf8').trim().split('\n') : [];
  /** Those that run, by pid. */
  const awake = () =>
    (existsSync(join(state, 'caffeinate')) ? readdirSync(join(state, 'caffeinate')) : []).filter((name) =>
      /^\d+$/.test(name),
    );
  return { state, PATH, calls, awake };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function keepAwake(PATH: string, isMac: boolean) {
  vi.stubEnv('PATH', PATH);
  onTestFinished(() => void vi.unstubAllEnvs());
  const clock = new FakeClock();
  const { telemetry, calls } = recordingTelemetry();
  const part = new KeepAwake({ pid: process.pid, isMac, clock, random: () => 0, telemetry });
  onTestFinished(() => part.stop());
  return { part, clock, told: calls };
}

describe('KeepAwake', () => {
  it('has caffeinate run for its process, and ends it when it stops', async () => {
    const { PATH, calls, awake } = mac();
    const { part, told, clock } = keepAwake(PATH, true);
    part.start();
    await waitFor('caffeinate', () => awake().length === 1);
    expect(calls()).toEqual([`caffeinate -i -m -s -w ${process.pid}`]);
    await clock.advance(60_000);
    expect(told).toEqual([{ event: 'conditionCleared', args: ['EDGE_KEEP_AWAKE'] }]);
    part.stop();
    await waitFor('its end', () => awake().length === 0);
    await clock.advance(600_000);
    expect(calls()).toHaveLength(1);
  });

  it('starts it again, later each time, and says so from the second end on', async () => {
    const { PATH, calls, state, awake } = mac();
    failStandIn(state, 'caffeinate', { exit: 64 });
    const { part, clock, told } = keepAwake(PATH, true);
    const after = vi.spyOn(clock, 'after');
    part.start();
    for (const [runs, waitMs] of [1_000, 2_000, 4_000].entries()) {
      await waitFor(`end ${runs + 1}`, () => after.mock.lastCall?.[0] === waitMs);
      expect(calls()).toHaveLength(runs + 1);
      expect(told).toHaveLength(runs);
      await clock.advance(waitMs);
    }
    const detail = 'caffeinate ended again and again, the last time with exit code 64';
    expect(told.at(-1)).toEqual({ event: 'conditionRaised', args: ['EDGE_KEEP_AWAKE', detail] });
    await waitFor('the last end', () => after.mock.lastCall?.[0] === 8_000);
    mendStandIn(state, 'caffeinate');
    await clock.advance(8_000);
    await waitFor('caffeinate', () => awake().length === 1);
    await clock.advance(10_000);
    expect(told.at(-1)).toEqual({ event: 'conditionCleared', args: ['EDGE_KEEP_AWAKE'] });
  });

  it('is a condition on a Mac that has no caffeinate, and looks again', async () => {
    const { part, clock, told } = keepAwake(tempDir(), true);
    part.start();
    await waitFor('the condition', () => told.length > 0);
    expect(told).toEqual([
      { event: 'conditionRaised', args: ['EDGE_KEEP_AWAKE', expect.stringContaining('caffeinate cannot be run')] },
    ]);
    expect(clock.pending).toBe(1);
  });

  it('is told once, and left at that, on a machine that is no Mac', async () => {
    const { part, clock, told } = keepAwake(tempDir(), false);
    part.start();
    await waitFor('the line', () => told.length > 0);
    expect(told).toEqual([{ event: 'notKeptAwake', args: [expect.stringContaining('ENOENT')] }]);
    await clock.advance(600_000);
    expect(told).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe('the agent', () => {
  /** Running, with caffeinate beside it. */
  async function running(more = '') {
    const { PATH, awake } = mac();
    const place = home(more);
    const agent = start(['run', '--config', place.config], { env: { EDGE_SECRET: 'canary-secret-value', PATH } });
    await waitFor('the start', () => existsSync(place.log) && /Command delivery/.test(readFileSync(place.log, 'utf8')));
    return { ...agent, ...place, awake };
  }

  it.each(['SIGTERM', 'SIGKILL'] as const)('takes caffeinate with it on %s', async (signal) => {
    const { child, ended, awake } = await running();
    await waitFor('caffeinate', () => awake().length === 1);
    const caffeinate = Number(awake()[0]);
    child.kill(signal);
    await ended;
    await waitFor('its end', () => awake().length === 0);
    await waitFor('its process to be gone', () => !isAlive(caffeinate));
  });

  it('has another caffeinate after somebody ended the one', async () => {
    const { awake } = await running();
    const first = await waitFor('caffeinate', () => awake()[0]);
    process.kill(Number(first), 'SIGTERM');
    await waitFor('another', () => awake().length === 1 && awake()[0] !== first);
  });

  it('lets the Mac sleep with power.keep_awake: false', async () => {
    const { child, ended, awake, log } = await running('power:\n  keep_awake: false\n');
    child.kill('SIGTERM');
    await ended;
    expect(awake()).toEqual([]);
    expect(readFileSync(log, 'utf8')).not.toContain('keep_awake');
  });

  it('says once that nothing keeps a machine awake that has no caffeinate', async () => {
    const place = home();
    const agent = start(['run', '--config', place.config], {
      env: { EDGE_SECRET: 'canary-secret-value', PATH: tempDir() },
    });
    const log = () => (existsSync(place.log) ? readFileSync(place.log, 'utf8') : '');
    await waitFor('the line', () => log().includes('[INFO] power.keep_awake has no effect on this machine'));
    agent.child.kill('SIGTERM');
    await once(agent.child, 'exit');
    expect(log().match(/keep_awake/g)).toHaveLength(1);
  });
});
