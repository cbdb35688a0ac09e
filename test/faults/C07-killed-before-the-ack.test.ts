import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';

/** What happens to a command frame: it stays with the kernel, unread by the agent; or it is read, and its ack is lost. */
const MOMENTS = ['unread', 'ack lost'] as const;

for (const moment of MOMENTS) {
  let isArmed = false;
  let copies = 0;

  faultTest(`C7 executes a command once that it had and did not acknowledge at the kill: ${moment}`, {
    setup(run) {
      const { front, rig } = run;
      front.upgrade = () => ({
        down: (frame) => {
          if (JSON.parse(frame).type !== 'command' || !isArmed) return [frame];
          copies++;
          if (moment === 'unread' && copies === 1) process.kill(rig.agent.pid!, 'SIGSTOP');
          return [frame];
        },
        up: (frame) => {
          if (JSON.parse(frame).type !== 'command_ack' || !isArmed || copies > 1) return [frame];
          void run.crash();
          return [];
        },
      });
    },
    async fault(run) {
      const { rig, ledger } = run;
      isArmed = true;
      copies = 0;
      const known = rig.cable.counters.down;
      const id = await run.ask();
      if (moment === 'unread') {
        await waitFor('the frame to be there', () => copies === 1 && rig.cable.counters.down > known + id.length);
        await run.crash();
      }
      await waitFor('the kill', () => !rig.agent.isRunning);
      expect(ledger.acks.get(id)).toBe(undefined);
      await run.restart();
      await waitFor('the end of the command', () => ledger.acks.get(id)?.includes('completed'));
      expect(copies).toBe(2);
    },
  });
}
