import { expect, it } from 'vitest';
import type { Responder } from '../../src/hub/responders/Responder.ts';
import { startRig } from '../support/startRig.ts';
import { waitFor } from '../support/waitFor.ts';

const ANN = '+15550100002';
const withReflex: Responder = {
  async respond(message, reply) {
    await reply.reflex('hm');
    return { should_respond: true, bubbles: [`re ${message.text}`] };
  },
};

it('works without a WebSocket: commands come by polling, acks go by HTTP', async () => {
  const rig = await startRig({
    hub: { responder: withReflex },
    config: { websocket: { enabled: false } },
    agent: false,
  });
  await rig.startAgent({ withSocket: false });
  const id = await rig.command('send_message_now', { thread_id: ANN, text: 'polled' });
  await waitFor('the ack', async () => (await rig.commandState(id)).state === 'completed');
  rig.mac.people.receive({ from: ANN, text: 'hey' });
  await waitFor('the answer', () => rig.bubblesTo(ANN).length >= 3);
  expect(rig.bubblesTo(ANN)).toEqual(['polled', 'hm', 're hey']);
  expect(rig.agent.log).toContain('[INFO] Command delivery: HTTP polling every 1s');
  expect(rig.agent.log).not.toContain('Connecting to WebSocket');
});

it('falls back to polling when the socket is cut, comes back, and says so in the fixed lines', async () => {
  const rig = await startRig({ hub: { responder: withReflex } });
  rig.cable.cut();
  await waitFor('the loss', async () => !(await rig.agent.status()).websocket.up);
  const id = await rig.command('send_message_now', { thread_id: ANN, text: 'while it was cut' });
  await waitFor('the ack', async () => (await rig.commandState(id)).state === 'completed');
  rig.mac.people.receive({ from: ANN, text: 'hey' });
  await waitFor('the answer', () => rig.bubblesTo(ANN).length >= 3);
  rig.cable.mend();
  await rig.agent.ready((status) => status.websocket.up);
  await rig.command('send_message_now', { thread_id: ANN, text: 'mended' });
  await waitFor('the last', () => rig.bubblesTo(ANN).length >= 4);
  expect(rig.bubblesTo(ANN)).toEqual(['while it was cut', 'hm', 're hey', 'mended']);
  for (const line of [
    '[INFO] ✅ WebSocket connected - real-time mode enabled',
    '[INFO] 🔌 WebSocket connected - real-time command delivery enabled',
    '[INFO] Command delivery: Real-time via WebSocket 🚀',
    '[WARN] WebSocket closed: code=1006, reason=Unknown',
    '[WARN] 🔌 WebSocket disconnected - falling back to HTTP polling',
    '[INFO] Command delivery: HTTP polling every 1s',
    `[INFO] ✅ Command ${id} executed successfully`,
  ]) {
    expect(rig.agent.log).toContain(line);
  }
});

it('sends a reflex once when the socket is cut between the push and its ack', async () => {
  const responder: Responder = {
    async respond(message, reply) {
      const pushed = reply.reflex('hm');
      rig.cable.cut();
      await pushed;
      return { should_respond: true, bubbles: [`re ${message.text}`] };
    },
  };
  const rig = await startRig({ hub: { responder, reflexWaitMs: 300 } });
  rig.mac.people.receive({ from: ANN, text: 'hey' });
  await waitFor('the answer', () => rig.bubblesTo(ANN).includes('re hey'));
  rig.cable.mend();
  await rig.agent.ready((status) => status.websocket.up);
  await rig.command('send_message_now', { thread_id: ANN, text: 'end' });
  await waitFor('the end', () => rig.bubblesTo(ANN).includes('end'));
  expect(rig.bubblesTo(ANN)).toEqual(['hm', 're hey', 'end']);
});

it('outlives a backend that is away: nothing is lost, order is kept', async () => {
  const rig = await startRig({ hub: { responder: withReflex } });
  await rig.stopHub();
  for (const text of ['one', 'two', 'three']) rig.mac.people.receive({ from: ANN, text });
  await waitFor('a retry', () => rig.agent.log.includes('EDGE_BACKEND_UNREACHABLE'));
  await rig.startHub();
  await waitFor('all answers', () => rig.bubblesTo(ANN).length >= 6, 15_000);
  expect(rig.bubblesTo(ANN).filter((text) => text.startsWith('re '))).toEqual(['re one', 're two', 're three']);
  expect(rig.bubblesTo(ANN).filter((text) => text === 'hm')).toHaveLength(3);
});

it('schedules, lists and cancels, and acknowledges each as the protocol says', async () => {
  const rig = await startRig();
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();
  const kept = await rig.command('schedule_message', { thread_id: ANN, message_text: 'later', send_at: at(700) });
  const dropped = await rig.command('schedule_message', { thread_id: ANN, text: 'never', send_at: at(60_000) });
  await waitFor('both stored', async () =>
    (await rig.commandState(dropped)).acks.some((ack) => ack.status === 'received'),
  );
  const cancel = await rig.command('cancel_scheduled', { schedule_id: dropped });
  await waitFor('the cancellation', async () => (await rig.commandState(cancel)).state === 'completed');
  await waitFor('its schedule to be told', async () => (await rig.commandState(dropped)).state === 'failed');
  await waitFor('the bubble', async () => (await rig.commandState(kept)).state === 'completed');
  expect((await rig.commandState(kept)).acks.map((ack) => ack.status)).toEqual(['received', 'completed']);
  expect(rig.bubblesTo(ANN)).toEqual(['later']);
});

it('sends again and again what recurs, until the command ends with the last', async () => {
  const rig = await startRig();
  const recurrence = { rrule: 'FREQ=DAILY;COUNT=2', time_zone: 'UTC' };
  const yesterday = new Date(Date.now() - 86_400_000 + 1000).toISOString();
  const said = { thread_id: ANN, message_text: 'again', send_at: yesterday, recurrence };
  const series = await rig.command('schedule_message', said);
  await waitFor('the last bubble', async () => (await rig.commandState(series)).state === 'completed');
  expect((await rig.commandState(series)).acks.map((ack) => ack.status)).toEqual(['received', 'completed']);
  expect(rig.bubblesTo(ANN)).toEqual(['again']);
});

it('never shows the secret, a whole handle or a text above DEBUG', async () => {
  const rig = await startRig({ hub: { responder: withReflex } });
  rig.mac.people.receive({ from: ANN, text: 'my private words' });
  await waitFor('the answer', () => rig.bubblesTo(ANN).length >= 2);
  await rig.command('send_message_now', { thread_id: ANN, text: 'more private words' });
  await waitFor('the bubble', () => rig.bubblesTo(ANN).length >= 3);
  await rig.agent.kill('SIGTERM');
  for (const canary of [rig.secret, ANN, 'private words', 're my']) expect(rig.agent.log).not.toContain(canary);
  expect(rig.agent.log).toContain('0002');
});
