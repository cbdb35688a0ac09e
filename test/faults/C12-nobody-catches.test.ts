import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

const DEFECTS = {
  'an exception in a timer': 'throw error',
  'a rejected promise in a timer': 'void Promise.reject(error)',
};

for (const [what, defect] of Object.entries(DEFECTS)) {
  const code = `process.on('SIGUSR2', () => setTimeout(() => { const error = new Error('a defect'); ${defect}; }, 1))`;

  faultTest(`C12 ends with 70 on ${what}, its last line in the log, and starts again as if nothing had been`, {
    rig: { nodeArgs: [`--import=data:text/javascript,${encodeURIComponent(code)}`] },
    isDefect: true,
    stderr: /^edge-agent: EDGE_INTERNAL: a defect ended the agent; \S+ says where\. launchd starts it again\.\n$/,
    async fault(run) {
      const { rig } = run;
      rig.mac.messages.behave({ beforeEffectMs: 200 });
      const known = rig.mac.messages.requests.length;
      await run.both();
      await waitFor('a bubble under way', () => rig.mac.messages.requests.length > known);
      process.kill(rig.agent.pid!, 'SIGUSR2');
      await waitFor('the end', () => !rig.agent.isRunning);
      expect(rig.agent.exitCode).toBe(70);
      expect(rig.agent.log).toMatch(/\[ERROR\] EDGE_INTERNAL: Error: a defect\\n {4}at [^\n]+\n$/);
      await run.restart();
    },
  });
}
