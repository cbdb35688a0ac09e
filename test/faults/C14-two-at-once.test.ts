import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
    await touchesNothing(run);
    await run.both();
  },
});

/** One that comes while another runs; that one stands still, so that whatever is written is the newcomer's. */
async function touchesNothing(run: FaultRun): Promise<void> {
  const { agent } = run.rig;
  process.kill(agent.pid!, 'SIGSTOP');
  try {
    const before = whatLies(run);
    const late = anAgent(run);
    late.start();
    await waitFor('the newcomer to leave', () => !late.isRunning, 20_000 * settings.patience);
    expect(late.exitCode).toBe(75);
    expect(whatLies(run)).toEqual(before);
  } finally {
    process.kill(agent.pid!, 'SIGCONT');
  }
}

/** All that an agent writes, by its path: when it was written last, and what it holds. */
function whatLies({ rig }: FaultRun): Record<string, unknown> {
  const files = readdirSync(rig.path('state')).map((name) => join(rig.path('state'), name));
  return Object.fromEntries(
    [rig.path('state'), rig.path('edge-agent.log'), ...files].map((path) => {
      const { mtimeMs, size, ino, mode } = lstatSync(path);
      const holds = lstatSync(path).isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
      return [path, { mtimeMs, size, ino, mode, holds }];
    }),
  );
}

function anAgent({ rig }: FaultRun): AgentProcess {
  return new AgentProcess({
    configPath: rig.path('config.yaml'),
    secret: rig.secret,
    logPath: rig.path('edge-agent.log'),
    stateDir: rig.path('state'),
  });
}
