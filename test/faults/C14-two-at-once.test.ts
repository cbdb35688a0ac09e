import { expect } from 'vitest';
import { AgentProcess } from '../../scripts/rig/AgentProcess.ts';
import { waitFor } from '../support/waitFor.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';

const PAIRS = settings.isLong ? 50 : 5;
/** From the start of the two until the loser is gone, ms. */
const LEAVE_MS = 2000;

faultTest('C14 lets one of two that start at once go on; the other leaves with 75 and touches nothing', {
  startsAgent: false,
  timeoutMs: 60_000 + PAIRS * 5000,
  async fault(run) {
    run.runs = PAIRS;
    const leftMs: number[] = [];
    for (let n = 0; n < PAIRS; n++) {
      const pair = [anAgent(run), anAgent(run)];
      const startedAt = performance.now();
      for (const agent of pair) agent.start();
      await waitFor('one to leave', () => pair.some((agent) => !agent.isRunning), 20_000);
      leftMs.push(performance.now() - startedAt);
      const loser = pair.find((agent) => !agent.isRunning)!;
      const winner = pair.find((agent) => agent !== loser)!;
      expect([loser.exitCode, loser.stderr]).toEqual([75, expect.stringContaining('EDGE_ALREADY_RUNNING')]);
      await winner.ready(({ pid }) => pid === winner.pid);
      expect(winner.isRunning).toBe(true);
      await winner.kill('SIGTERM');
      expect(winner.exitCode).toBe(0);
      expect(run.rig.agent.log).not.toContain('EDGE_ALREADY_RUNNING');
    }
    // The fastest: how busy the machine is decides over the others.
    expect(Math.min(...leftMs)).toBeLessThan(LEAVE_MS * settings.patience);
    await run.restart();
    await run.both();
  },
});

function anAgent({ rig }: FaultRun): AgentProcess {
  return new AgentProcess({
    configPath: rig.path('config.yaml'),
    secret: rig.secret,
    logPath: rig.path('edge-agent.log'),
    stateDir: rig.path('state'),
  });
}
