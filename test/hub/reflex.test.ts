import { describe, expect, it } from 'vitest';
import type { HubOptions } from '../../src/hub/Hub.ts';
import type { IncomingMessage, ReflexDelivery, Reply } from '../../src/hub/responders/Responder.ts';
import { FakeClock } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT, message, startHub } from './testHub.ts';

/** Says "lol", then two bubbles; keeps what became of the reflex. */
function twoStep() {
  const deliveries: ReflexDelivery[] = [];
  const respond = async (_message: IncomingMessage, reply: Reply) => {
    void reply.reflex('lol').then((delivery) => deliveries.push(delivery));
    return { should_respond: true, bubbles: ['one', 'two'] };
  };
  return { deliveries, responder: { respond } satisfies HubOptions['responder'] };
}
const stateOf = async (hub: Awaited<ReturnType<typeof startHub>>, id: string) =>
  (await hub.hub.store.command(id))?.command.state;

describe('the reflex', () => {
  it('is pushed at once; the answer waits for its ack and has every bubble', async () => {
    const { responder, deliveries } = twoStep();
    const hub = await startHub({ responder, reflexWaitMs: 60_000 });
    const socket = await hub.connect();
    const answer = hub.post('/edge/message', message('hi'));
    await waitFor('the reflex', () => socket.commands.length);
    const [command] = socket.commands;
    expect(command).toEqual({
      command_id: expect.any(String),
      command_type: 'send_message_now',
      payload: { thread_id: '+15550100002', text: 'lol', bubble_type: 'reflex' },
      priority: 'immediate',
      timestamp: expect.any(String),
    });
    socket.ack(command!.command_id);
    expect((await answer).json).toEqual({
      should_respond: true,
      reply_bubbles: ['lol', 'one', 'two'],
      reflex_message: 'lol',
      burst_messages: ['one', 'two'],
      burst_delay_ms: 0,
      reflex_command_id: command!.command_id,
      reflex_delivered: 'acked',
    });
    expect(deliveries).toEqual(['acked']);
    expect(await stateOf(hub, command!.command_id)).toBe('completed');
  });

  it('without an ack holds the answer for two seconds and is then called sent', async () => {
    const clock = new FakeClock();
    const hub = await startHub({ ...twoStep(), clock });
    const socket = await hub.connect();
    let answered = false;
    const answer = hub.post('/edge/message', message('hi')).finally(() => {
      answered = true;
    });
    await waitFor('the reflex', () => socket.commands.length);
    await clock.advance(1_900);
    expect(answered).toBe(false);
    await clock.advance(200);
    expect((await answer).json.reflex_delivered).toBe('sent');
  });

  it('is not waited for where the wait is 0', async () => {
    const hub = await startHub({ ...twoStep(), reflexWaitMs: 0 });
    await hub.connect();
    expect((await hub.post('/edge/message', message('hi'))).json.reflex_delivered).toBe('sent');
  });

  it('that the agent could not send is called none', async () => {
    const hub = await startHub({ ...twoStep(), reflexWaitMs: 60_000 });
    const socket = await hub.connect();
    const answer = hub.post('/edge/message', message('hi'));
    await waitFor('the reflex', () => socket.commands.length);
    socket.ack(socket.commands[0]!.command_id, { success: false, error: 'no such chat' });
    expect((await answer).json).toMatchObject({ reflex_delivered: 'none', reply_bubbles: ['lol', 'one', 'two'] });
  });

  it('without a socket travels in the answer only, and leaves no command', async () => {
    const hub = await startHub(twoStep());
    const { json } = await hub.post('/edge/message', message('hi'));
    expect(json).toMatchObject({ reply_bubbles: ['lol', 'one', 'two'], reflex_delivered: 'none' });
    expect(json).not.toHaveProperty('reflex_command_id');
    expect(await hub.hub.store.commandCounts(AGENT)).toEqual({});
  });

  it('is never polled nor sent again, and is superseded when its socket closes', async () => {
    const clock = new FakeClock();
    const hub = await startHub({ ...twoStep(), reflexWaitMs: 0, clock, silenceMs: 600_000 });
    const socket = await hub.connect();
    const { json } = await hub.post('/edge/message', message('hi'));
    await clock.advance(40_000);
    await socket.roundTrip();
    expect(socket.commands).toHaveLength(1);
    expect((await hub.post('/edge/sync', {})).json.commands).toEqual([]);
    socket.ws.terminate();
    await waitFor('its end', async () => (await stateOf(hub, json.reflex_command_id!)) === 'superseded');
    const next = await hub.connect();
    await next.roundTrip();
    expect(next.commands).toEqual([]);
    next.ack(json.reflex_command_id!);
    await next.roundTrip();
    expect(await stateOf(hub, json.reflex_command_id!)).toBe('completed');
  });

  it('is not named where agents are to match it by text', async () => {
    const hub = await startHub({ ...twoStep(), reflexWaitMs: 0, nameReflex: false });
    await hub.connect();
    const { json } = await hub.post('/edge/message', message('hi'));
    expect(json).not.toHaveProperty('reflex_command_id');
    expect(json.reply_bubbles[0]).toBe('lol');
  });

  it('is one a message: a second call pushes nothing', async () => {
    const outcomes: ReflexDelivery[] = [];
    const respond = async (_message: IncomingMessage, reply: Reply) => {
      outcomes.push(await reply.reflex('lol'), await reply.reflex('lol again'));
      return { should_respond: true, bubbles: [] };
    };
    const hub = await startHub({ responder: { respond }, reflexWaitMs: 0 });
    const socket = await hub.connect();
    expect((await hub.post('/edge/message', message('hi'))).json.reply_bubbles).toEqual(['lol']);
    expect(outcomes).toEqual(['sent', 'none']);
    expect(socket.commands).toHaveLength(1);
  });

  it('has the same id and text after a hub that went down before it answered', async () => {
    let reply = 'lol';
    let hold = true;
    const respond = async (_message: IncomingMessage, port: Reply) => {
      void port.reflex(reply);
      if (hold) await new Promise((resolve) => port.signal.addEventListener('abort', resolve));
      port.signal.throwIfAborted();
      return { should_respond: true, bubbles: ['one'] };
    };
    const body = message('hi');
    const before = await startHub({ responder: { respond }, drainMs: 50 });
    const socket = await before.connect();
    const lost = before.post('/edge/message', body).catch(() => 'lost');
    await waitFor('the reflex', () => socket.commands.length);
    await before.hub.stop();
    await lost;

    [reply, hold] = ['something else', false];
    const after = await startHub({ responder: { respond }, dbPath: before.dbPath, reflexWaitMs: 0 });
    const next = await after.connect();
    const { json } = await after.post('/edge/message', body);
    expect(json.reply_bubbles).toEqual(['lol', 'one']);
    expect(json.reflex_command_id).toBe(socket.commands[0]!.command_id);
    expect(next.commands).toMatchObject([{ command_id: json.reflex_command_id, payload: { text: 'lol' } }]);
  });
});
