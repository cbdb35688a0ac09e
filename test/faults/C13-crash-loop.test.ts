import { mkdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { AgentProcess } from '../../scripts/rig/AgentProcess.ts';
import { CRASH_LOOP_FILE } from '../../src/ops/CrashLoop.ts';
import { edgeAgent } from '../cli/edgeAgent.ts';
import { waitFor } from '../support/waitFor.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const FAILURES = 5;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** What the sixth start is held back for. */
const HELD_MS = 30 * SECOND;
/** Each failing start says why. */
const stderr = /EDGE_STATE_DIR/;

/** state.db cannot be opened any more: a folder lies in its place. */
async function breakState(run: FaultRun): Promise<void> {
  const { rig } = run;
  await rig.agent.kill('SIGTERM');
  renameSync(rig.path('state/state.db'), rig.path('state.db.aside'));
  mkdirSync(rig.path('state/state.db'));
}

function mendState({ rig }: FaultRun): void {
  rmdirSync(rig.path('state/state.db'));
  renameSync(rig.path('state.db.aside'), rig.path('state/state.db'));
}

async function fail({ rig }: FaultRun): Promise<void> {
  rig.agent.start();
  await waitFor('the end', () => !rig.agent.isRunning, 10_000);
  expect(rig.agent.exitCode).toBe(77);
}

/** Starts it, and it waits. */
async function held(run: FaultRun): Promise<{ running: boolean; conditions: { code: string; text: string }[] }> {
  const mark = run.mark;
  run.rig.agent.start();
  await run.logged('EDGE_CRASH_LOOP', mark, 10_000);
  return waitFor('the status', () => run.rig.agent.status().catch(() => undefined)) as never;
}

faultTest(
  'C13 slows its restarts after five failures, says so with the last code, and comes up by itself when it can',
  {
    stderr,
    async fault(run) {
      const { rig, clock } = run;
      await breakState(run);
      run.runs = FAILURES;
      for (let n = 0; n < FAILURES; n++) await fail(run);
      const loop = {
        code: 'EDGE_CRASH_LOOP',
        text: expect.stringMatching(/^5 failures in a row .* the last with EDGE_STATE_DIR/),
      };
      expect(await held(run)).toMatchObject({ running: false, conditions: [loop] });
      const args = ['status', '--config', rig.path('config.yaml')];
      const status = await edgeAgent(args);
      expect(status.code).toBe(3);
      expect(status.out).toContain('its next start is held back');
      const json = JSON.parse((await edgeAgent([...args, '--json'])).out);
      expect(json).toMatchObject({ running: false, conditions: [loop, { code: 'EDGE_STATE_DIR' }] });

      // It is the one agent of this folder, as one that runs is.
      const second = new AgentProcess({
        configPath: rig.path('config.yaml'),
        secret: rig.secret,
        logPath: rig.path('edge-agent.log'),
        stateDir: rig.path('state'),
      });
      second.start();
      await waitFor('the second to leave', () => !second.isRunning, 10_000);
      expect(second.exitCode).toBe(75);
      expect(rig.agent.isRunning).toBe(true);

      mendState(run);
      const mark = run.mark;
      const failedAt = JSON.parse(readFileSync(join(rig.path('state'), CRASH_LOOP_FILE), 'utf8')).last_at;
      const startedAt = () => Date.parse(/\[(\S+)\] \[INFO\] chat\.db opened/.exec(run.logSince(mark))?.[1] ?? '');
      await run.passUntil('the start', () => startedAt() > 0, { stepMs: 5 * SECOND, mostMs: 2 * HELD_MS });
      expect(startedAt() - failedAt).toBeGreaterThanOrEqual(HELD_MS);
      await rig.agent.ready(({ websocket, conditions }) => websocket.up && conditions[0]?.code === 'EDGE_CRASH_LOOP');
      await run.both();
      await run.read();
      await clock.pass(10 * MINUTE);
    },
  },
);

faultTest('C13 ends at once with 0 when it is stopped while it waits, and starts at once afterwards', {
  stderr,
  async fault(run) {
    await breakState(run);
    for (let n = 0; n < FAILURES; n++) await fail(run);
    await held(run);
    expect(await run.rig.agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    mendState(run);
    await run.restart();
  },
});
