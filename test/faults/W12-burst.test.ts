import { expect } from 'vitest';
import type { WebSocket } from 'ws';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

const BURST = 10_000;
/** Each command is written down and acknowledged on its own: how long that takes is a matter of the machine, ms. */
const PATIENCE_MS = 120_000;
const NEXT_YEAR = new Date(Date.now() + 365 * 86_400_000).toISOString();

faultTest('W12 takes a burst of 10,000 commands in with bounded memory, and loses none', {
  timeoutMs: PATIENCE_MS + 60_000,
  async fault(run) {
    const { front, rig } = run;
    const received = new Set<string>();
    let agentEnd: WebSocket | undefined;
    front.upgrade = () => ({
      joined: (agent) => {
        agentEnd = agent;
      },
      up: (frame) => {
        const { type, data } = JSON.parse(frame);
        if (type !== 'command_ack' || !String(data.command_id).startsWith('burst-')) return [frame];
        if (data.status === 'received') received.add(data.command_id);
        return [];
      },
    });
    rig.cable.reset();
    await waitFor('the connection', () => agentEnd);
    await run.up();
    for (let n = 0; n < BURST; n++) {
      const payload = { thread_id: n % 2 === 0 ? ANN : BEN, message_text: `later ${n}`, send_at: NEXT_YEAR };
      const data = { command_id: `burst-${n}`, command_type: 'schedule_message', payload };
      agentEnd!.send(JSON.stringify({ type: 'command', data }));
    }
    await run.ask(); // answered while the burst is worked off
    let rssMegabytes = 0;
    await waitFor(
      'every ack',
      () => {
        rssMegabytes = Math.max(rssMegabytes, run.figures?.rssMegabytes ?? 0);
        return received.size === BURST;
      },
      PATIENCE_MS,
    );
    expect(rssMegabytes).toBeLessThan(150);
    expect(front.handshakes).toHaveLength(2);
    front.standAside();
  },
});
