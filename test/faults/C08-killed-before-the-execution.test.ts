import { expect } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN, CANARY } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** From the order to the bubble, ms. */
const LATER_MS = 2000;

faultTest('C8 executes a command once, without getting it again, that was acknowledged and not yet due at the kill', {
  async fault(run) {
    const { rig, ledger } = run;
    const text = `${CANARY} for later`;
    const copies: string[] = [];
    rig.cable.reset();
    run.front.upgrade = () => ({
      down: (frame) => {
        const { type, data } = JSON.parse(frame);
        if (type === 'command') copies.push(data.command_id);
        return [frame];
      },
    });
    await run.redial(async () => run.front.handshakes.length > 1 && (await run.isUp()));
    const payload = { thread_id: ANN, message_text: text, send_at: new Date(run.clock.now() + LATER_MS).toISOString() };
    const id = await rig.command('schedule_message', payload);
    ledger.asked.push({ id, thread: ANN, text, outcome: 'completed' });
    await waitFor('the ack', () => ledger.acks.get(id)?.includes('received'));
    await run.crash();
    expect(rig.bubblesTo(ANN)).not.toContain(text);
    await run.restart();
    await waitFor('the end of the command', () => ledger.acks.get(id)?.includes('completed'));
    expect(copies).toEqual([id]);
  },
});

let held: string | undefined;
let copies = 0;

faultTest('C8 executes a command once, without getting it again, that was written down and not begun at the kill', {
  setup({ front }) {
    held = undefined;
    copies = 0;
    front.upgrade = () => ({
      down: (frame) => {
        const { type, data } = JSON.parse(frame);
        if (type !== 'command' || data.payload.thread_id !== held) return [frame];
        return copies++ === 0 ? [frame] : [];
      },
    });
  },
  async fault(run) {
    const { rig, ledger } = run;
    const { messages } = rig.mac;
    // Messages is asked one thing at a time: while it takes this bubble, nothing else is begun.
    const isOver = Promise.withResolvers<void>();
    messages.behave({ beforeEffect: () => isOver.promise });
    const known = messages.requests.length;
    await run.ask(ANN);
    await waitFor('the first osascript', () => messages.requests.length === known + 1);
    held = BEN;
    const id = await run.ask(BEN);
    await rig.agent.ready(({ queues }) => (queues as { sends_queued: number }).sends_queued === 1);
    await run.crash();
    expect(messages.requests).toHaveLength(known + 1);
    isOver.resolve();
    await run.restart();
    await waitFor('the end of the command', () => ledger.acks.get(id)?.includes('completed'));
    expect(rig.bubblesTo(BEN)).toHaveLength(1);
    held = undefined;
  },
});
