import { expect } from 'vitest';
import type { WebSocket } from 'ws';
import type { Queues } from '../../src/ops/status.ts';
import { waitFor } from '../support/waitFor.ts';
import { faultTest } from './harness/faultTest.ts';
import { passes, says } from './harness/treatments.ts';

faultTest('W9 executes a command once that comes twice by each way and after a restart, and acknowledges each copy', {
  async fault(run) {
    const { front, rig, ledger } = run;
    const frames = new Map<string, string>();
    let agentEnd: WebSocket | undefined;
    // What went by on the socket, in order. Copies that come together are answered by one ack after both.
    const seen: { what: 'copy' | 'ack'; id: string }[] = [];
    let isDeaf = true;
    front.upgrade = () => ({
      joined: (agent) => {
        agentEnd = agent;
      },
      down: (frame) => {
        const { type, data } = JSON.parse(frame);
        if (type !== 'command') return [frame];
        frames.set(data.command_id, frame);
        for (let copy = 0; copy < 2; copy++) seen.push({ what: 'copy', id: data.command_id });
        return [frame, frame];
      },
      up: (frame) => {
        const { type, data } = JSON.parse(frame);
        if (type === 'command_ack') seen.push({ what: 'ack', id: data.command_id });
        return type === 'command_ack' && isDeaf ? [] : [frame];
      },
    });
    front.treat = ({ path }) => (path === '/edge/command/ack' && isDeaf ? says(503) : passes);
    rig.cable.reset();
    await waitFor('the connection', () => front.handshakes.length > 1);
    await run.up();
    const id = await run.ask();
    const copies = () => seen.filter((one) => one.id === id && one.what === 'copy').length;
    const isAcked = () => seen.filter((one) => one.id === id).at(-1)?.what === 'ack';
    await waitFor('two copies and their ack', () => copies() >= 2 && isAcked());

    await rig.agent.kill('SIGKILL');
    const before = copies();
    await rig.startAgent();
    await waitFor('two more after the restart, and their ack', () => copies() >= before + 2 && isAcked());

    const mark = run.mark;
    rig.hub.setSockets(false);
    await run.logged(`${id} came again`, mark); // by polling
    isDeaf = false;
    await waitFor('an ack that gets through', () => ledger.acks.has(id));
    await rig.agent.ready(({ queues }) => (queues as Queues).acks === 0);

    rig.hub.setSockets(true);
    await run.redial();
    const acks = ledger.acks.get(id)!.length;
    agentEnd!.send(frames.get(id)!);
    await waitFor('an ack of what had been acknowledged', () => ledger.acks.get(id)!.length > acks);
    front.standAside();
    expect(
      rig.mac.messages.effects.filter(({ text }) => ledger.asked.some((one) => one.id === id && one.text === text)),
    ).toHaveLength(1);
  },
});
