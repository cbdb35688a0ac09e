import { expect } from 'vitest';
import type { WebSocket } from 'ws';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, CAROL } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';
import { settings } from './harness/settings.ts';
import { passes, says } from './harness/treatments.ts';

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
    // While the socket is paused for load, acks go by HTTP.
    front.treat = ({ path, body }) => {
      const { command_id: id, status } = path === '/edge/command/ack' ? JSON.parse(body) : {};
      if (!String(id).startsWith('burst-')) return passes;
      if (status === 'received') received.add(id);
      return says(200);
    };
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

/** In the long form a burst that osascript needs most of an hour for: one script at a time, a second each. */
const BUBBLES = settings.isLong ? 3000 : 30;
const SCRIPT_MS = settings.isLong ? 1000 : 250;
/** Between two scripts lie the row of the one and the start of the other, some 100 ms of a busy machine. */
const BURST_RECOVERY_MS = 30_000 + BUBBLES * SCRIPT_MS * 1.3;

faultTest('W12 sends the bubbles of a burst in the order of each thread while every script takes its time', {
  commandsInOrder: true,
  // As in the field: sent again each 2 s, what waits by the thousand would come faster than it is taken in.
  rig: { hub: { ackTimeoutMs: 30_000 } },
  recoveryMs: BURST_RECOVERY_MS,
  timeoutMs: BURST_RECOVERY_MS + 60_000 + BUBBLES * 20,
  async fault(run) {
    const { front, rig } = run;
    const held: string[] = [];
    let agentEnd: WebSocket | undefined;
    let isHeld = true;
    front.upgrade = () => ({
      joined: (agent) => {
        agentEnd = agent;
      },
      down: (frame) => {
        if (!isHeld || JSON.parse(frame).type !== 'command') return [frame];
        held.push(frame);
        return [];
      },
    });
    rig.cable.reset();
    await waitFor('the connection', () => agentEnd);
    await run.up();
    rig.mac.messages.behave({ times: 'always', beforeEffectMs: SCRIPT_MS });
    for (let n = 0; n < BUBBLES; n++) await run.ask([ANN, BEN, CAROL][n % 3]);
    await waitFor('the burst', () => held.length >= BUBBLES);
    isHeld = false;
    for (const frame of held) agentEnd!.send(frame);
    await run.quiet(BURST_RECOVERY_MS);
    rig.mac.messages.behaveWell();
  },
});
