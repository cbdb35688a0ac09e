import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';

const PAIRS = settings.isLong ? 50 : 5;
/** From the kill until the next has the lock and says so in its log, ms. */
const START_MS = 1000;

faultTest('C15 starts at once after the holder of the lock was killed', {
  timeoutMs: 60_000 + PAIRS * 5000,
  async fault(run) {
    const { agent } = run.rig;
    run.runs = PAIRS;
    for (let n = 0; n < PAIRS; n++) {
      if (n % 2 === 0) await run.both();
      await run.crash();
      const killedAt = performance.now();
      agent.start();
      const { pid } = await agent.ready();
      const tookMs = performance.now() - killedAt;
      expect(pid).toBe(agent.pid);
      run.recoveriesMs.push(tookMs);
    }
    const log = readFileSync(run.rig.path('edge-agent.log'), 'utf8');
    expect(log.match(/\[WARN\] The last run was killed/g)).toHaveLength(PAIRS);
    // The fastest: how busy the machine is decides over the others, and a lock that is waited for slows them all.
    expect(Math.min(...run.recoveriesMs)).toBeLessThan(START_MS * settings.patience);
  },
});
