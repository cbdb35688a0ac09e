import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FakeClock } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT, identity, startHub, type TestHub } from './testHub.ts';

const OTHER = 'edge_15550100002';
const sync = (hub: TestHub, fields: Record<string, unknown> = {}) =>
  hub.post('/edge/sync', { edge_agent_id: AGENT, last_command_id: null, pending_events: [], status: {}, ...fields });
const order = (hub: TestHub, commandId: string, fields: Record<string, unknown> = {}) =>
  hub.admin('/api/commands', {
    edge_agent_id: AGENT,
    command_type: 'send_message_now',
    payload: { thread_id: '+15550100002', text: commandId },
    command_id: commandId,
    ...fields,
  });
const stateOf = async (hub: TestHub, commandId: string) => (await hub.admin(`/api/commands/${commandId}`)).json.state;
const ids = (commands: { command_id: string }[]) => commands.map(({ command_id }) => command_id);

describe('a command', () => {
  it('goes by socket at once, as the wire has it', async () => {
    const hub = await startHub();
    const socket = await hub.connect();
    const { json } = await hub.admin('/api/send-message', {
      edge_agent_id: AGENT,
      thread_id: '+15550100002',
      message: 'hello',
    });
    expect(json).toEqual({ success: true, command_id: expect.any(String) });
    await waitFor('the command', () => socket.commands.length);
    const [command] = socket.commands;
    expect(command).toEqual({
      command_id: json.command_id,
      command_type: 'schedule_message',
      payload: { thread_id: '+15550100002', message_text: 'hello', send_at: expect.any(String) },
      priority: 'normal',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(Math.abs(Date.parse(String(command!.payload.send_at)) - Date.now())).toBeLessThan(60_000);
    expect((await sync(hub)).json.commands).toEqual([]);
  });

  it('waits for polling without a socket, in order, and is polled once while its ack may come', async () => {
    const hub = await startHub();
    for (const id of ['a', 'b', 'c']) await order(hub, id);
    expect(ids((await sync(hub)).json.commands)).toEqual(['a', 'b', 'c']);
    expect((await sync(hub)).json.commands).toEqual([]);
  });

  it('is given again to a poll after the ack time-out, and never after its ack', async () => {
    const clock = new FakeClock();
    const hub = await startHub({ clock });
    await order(hub, 'a');
    await order(hub, 'b');
    await sync(hub);
    await hub.post('/edge/command/ack', { command_id: 'a', success: true, error: null, timestamp: 'now' });
    await clock.advance(29_000);
    expect((await sync(hub)).json.commands).toEqual([]);
    await clock.advance(1_000);
    expect(ids((await sync(hub)).json.commands)).toEqual(['b']);
  });

  it('is sent again on the open socket when no ack came in 30 s', async () => {
    const clock = new FakeClock();
    const hub = await startHub({ clock, silenceMs: 600_000 });
    const socket = await hub.connect();
    await order(hub, 'a');
    await order(hub, 'b');
    await waitFor('both', () => socket.commands.length === 2);
    socket.ack('a');
    await socket.roundTrip();
    await clock.advance(31_000);
    await waitFor('b again', () => socket.commands.length === 3);
    expect(ids(socket.commands)).toEqual(['a', 'b', 'b']);
  });

  it('that went into a socket without an ack comes first on the next socket', async () => {
    const hub = await startHub();
    const first = await hub.connect();
    await order(hub, 'a');
    await waitFor('a', () => first.commands.length === 1);
    first.ws.terminate();
    await waitFor('the hub to notice', async () => (await stateOf(hub, 'a')) === 'queued');
    await order(hub, 'b');
    const second = await hub.connect();
    await waitFor('both', () => second.commands.length === 2);
    expect(ids(second.commands)).toEqual(['a', 'b']);
  });

  it('that went into a socket without an ack goes to the one that replaces it', async () => {
    const hub = await startHub();
    const first = await hub.connect();
    await order(hub, 'a');
    await waitFor('a', () => first.commands.length === 1);
    first.ws.pause(); // as if the link were dead: the hub cannot know yet
    const second = await hub.connect();
    await waitFor('a again', () => second.commands.length === 1);
  });

  it('that went into a socket without an ack is polled once the socket is gone', async () => {
    const hub = await startHub();
    const socket = await hub.connect();
    await order(hub, 'a');
    await waitFor('a', () => socket.commands.length === 1);
    socket.ws.terminate();
    await waitFor('the hub to notice', async () => (await stateOf(hub, 'a')) === 'queued');
    expect(ids((await sync(hub)).json.commands)).toEqual(['a']);
  });

  it('whose sync was answered, but maybe not heard, comes first on the next socket', async () => {
    const hub = await startHub();
    await order(hub, 'a');
    await sync(hub);
    await order(hub, 'b');
    const socket = await hub.connect();
    await waitFor('both', () => socket.commands.length === 2);
    expect(ids(socket.commands)).toEqual(['a', 'b']);
  });

  it('whose sync was answered, but not heard, comes first in the next one', async () => {
    const hub = await startHub();
    await order(hub, 'a');
    await sync(hub, { last_command_id: 'before' });
    await order(hub, 'b');
    expect(ids((await sync(hub, { last_command_id: 'before' })).json.commands)).toEqual(['a', 'b']);
    expect((await sync(hub, { last_command_id: 'b' })).json.commands).toEqual([]);
    expect((await sync(hub, { last_command_id: 'b' })).json.commands).toEqual([]);
  });

  it('that was received is not sent again on a new socket', async () => {
    const hub = await startHub();
    const first = await hub.connect();
    await order(hub, 'a');
    await waitFor('a', () => first.commands.length === 1);
    first.ack('a', { success: true, status: 'received' });
    await first.roundTrip();
    const second = await hub.connect();
    await second.roundTrip();
    expect(second.commands).toEqual([]);
    expect(await stateOf(hub, 'a')).toBe('received');
  });

  it('keeps its order among a hundred', async () => {
    const hub = await startHub();
    const names = Array.from({ length: 150 }, (_, i) => `c${i}`);
    await Promise.all(names.slice(0, 120).map((id) => order(hub, id)));
    const socket = await hub.connect();
    await Promise.all(names.slice(120).map((id) => order(hub, id)));
    await waitFor('all', () => socket.commands.length === 150);
    const seen = ids(socket.commands);
    expect([...seen].sort()).toEqual([...names].sort());
    const stored = await Promise.all(seen.map(async (id) => (await hub.hub.store.command(id))!.command.deliveries));
    expect(new Set(stored)).toEqual(new Set([1]));
  });

  it('with an id that is known is not stored twice, and another agent’s id is refused', async () => {
    const hub = await startHub();
    await order(hub, 'a');
    expect(await order(hub, 'a')).toMatchObject({ status: 200, json: { command_id: 'a' } });
    expect(await order(hub, 'a', { edge_agent_id: OTHER })).toMatchObject({ status: 409 });
    expect(ids((await sync(hub)).json.commands)).toEqual(['a']);
  });

  it('with the longest id can be looked up', async () => {
    const hub = await startHub();
    const id = '☂'.repeat(64);
    await order(hub, id);
    expect(await stateOf(hub, encodeURIComponent(id))).toBe('queued');
    const longest = 'x'.repeat(128);
    await order(hub, longest);
    expect(await stateOf(hub, longest)).toBe('queued');
  });

  it('survives a restart in the queue, delivered or not', async () => {
    const before = await startHub();
    const socket = await before.connect();
    await order(before, 'pushed');
    await waitFor('it', () => socket.commands.length === 1);
    before.hub.setSockets(false);
    await order(before, 'queued');
    await before.hub.stop();
    const after = await startHub({ dbPath: before.dbPath });
    expect(ids((await sync(after)).json.commands)).toEqual(['pushed', 'queued']);
  });
});

describe('an ack', () => {
  const acks: [string, Record<string, unknown>, string][] = [
    ['success', { success: true, error: null }, 'completed'],
    ['no success', { success: false, error: 'broken' }, 'failed'],
    ['status completed', { status: 'completed', completed_at: '2026-01-01T00:00:00Z' }, 'completed'],
    ['status executing', { status: 'executing' }, 'received'],
    ['status pending', { status: 'pending' }, 'received'],
    ['a status beside success', { status: 'received', success: true }, 'received'],
    ['an unknown status beside success', { status: 'fine', success: true }, 'completed'],
  ];
  it.each(acks)('with %s is understood on each way', async (_what, fields, state) => {
    const hub = await startHub();
    for (const id of ['http', 'old', 'ws']) await order(hub, id);
    const http = await hub.post('/edge/command/ack', { command_id: 'http', ...fields });
    expect(http.json).toEqual({ acknowledged: true });
    await hub.post('/edge/ack_command', { command_id: 'old', ...fields });
    const socket = await hub.connect();
    socket.ack('ws', fields);
    await socket.roundTrip();
    expect([await stateOf(hub, 'http'), await stateOf(hub, 'old'), await stateOf(hub, 'ws')]).toEqual([
      state,
      state,
      state,
    ]);
  });

  it('is stored when a later ping is answered', async () => {
    const hub = await startHub();
    const socket = await hub.connect();
    await order(hub, 'a');
    socket.ack('a');
    await socket.roundTrip();
    expect((await hub.hub.store.command('a'))?.command.state).toBe('completed');
  });

  it('that cannot be stored closes the socket instead of letting a pong prove it', async () => {
    const hub = await startHub();
    const socket = await hub.connect();
    await order(hub, 'a');
    await socket.roundTrip();
    const lock = new Database(hub.dbPath);
    onTestFinished(() => void lock.close());
    lock.exec('BEGIN IMMEDIATE');
    socket.ack('a');
    socket.send({ type: 'ping' });
    await waitFor('the close', () => socket.closed);
    expect(socket.closed).toEqual({ code: 1013, reason: 'try again later' });
    expect(socket.frames.filter(({ type }) => type === 'pong')).toHaveLength(1);
    lock.exec('ROLLBACK');
    const next = await hub.connect();
    next.ack('a');
    await next.roundTrip();
    expect(await stateOf(hub, 'a')).toBe('completed');
  });

  it('received, then completed, are both kept; a final state does not change', async () => {
    const hub = await startHub();
    await order(hub, 'a');
    const ack = (fields: Record<string, unknown>) => hub.post('/edge/command/ack', { command_id: 'a', ...fields });
    await ack({ status: 'received', success: true });
    expect(await stateOf(hub, 'a')).toBe('received');
    await ack({ status: 'completed', success: true, result: { n: 1 } });
    await ack({ status: 'completed', success: true });
    await ack({ status: 'failed', success: false, error: 'late' });
    await ack({ status: 'received', success: true });
    const { json } = await hub.admin('/api/commands/a');
    expect(json).toMatchObject({
      state: 'completed',
      error: null,
      acks: [
        { status: 'received', times: 2 },
        { status: 'completed', times: 2, body: { result: { n: 1 } } },
        { status: 'failed', times: 1 },
      ],
    });
  });

  it('of another agent changes nothing', async () => {
    const hub = await startHub();
    await order(hub, 'a');
    const answer = await hub.post('/edge/command/ack', { command_id: 'a', success: true }, identity(OTHER));
    expect(answer).toMatchObject({ status: 200, json: { acknowledged: true } });
    expect(await stateOf(hub, 'a')).toBe('queued');
  });

  it.each([
    ['neither status nor success', { command_id: 'a' }, 'status: '],
    ['no command', { success: true }, 'command_id: '],
    ['a number for success', { command_id: 'a', success: 1 }, 'success: '],
    ['a list for a command', { command_id: ['a'], success: true }, 'command_id: '],
  ])('with %s is refused by the field’s name', async (_what, body, start) => {
    const hub = await startHub();
    const { status, json } = await hub.post('/edge/command/ack', body);
    expect(status).toBe(400);
    expect(json.error.startsWith(start)).toBe(true);
  });
});

describe('POST /edge/sync', () => {
  const event = { event_id: 'e1', event_type: 'message_sent', thread_id: '+15550100002', details: { guid: 'g' } };

  it('stores each event once and acknowledges it each time', async () => {
    const hub = await startHub();
    for (let i = 0; i < 3; i++) {
      expect((await sync(hub, { pending_events: [event] })).json.ack_events).toEqual(['e1']);
    }
    const events = await hub.hub.store.events(AGENT);
    expect(events).toMatchObject([{ eventId: 'e1', eventType: 'message_sent', details: { guid: 'g' } }]);
  });

  it('takes the good events of a list that has bad ones', async () => {
    const hub = await startHub();
    const bad = [null, 7, { event_type: 'error' }, { event_id: '' }];
    const odd = { event_id: 'e2', event_type: 5, thread_id: [], details: 'text' };
    const { json } = await sync(hub, { pending_events: [...bad, event, odd, { event_id: 'e3' }] });
    expect(json.ack_events).toEqual(['e1', 'e2', 'e3']);
  });

  it('remembers last_command_id and the status, which the operator can read', async () => {
    const hub = await startHub();
    const status = { scheduled_messages: 2, active_rules: 0, uptime_seconds: 9 };
    await sync(hub, { last_command_id: 'cmd_7', status });
    await sync(hub, { last_command_id: null, status });
    await order(hub, 'a');
    expect((await hub.admin(`/edge/agents/${AGENT}`)).json).toMatchObject({
      edge_agent_id: AGENT,
      connected: false,
      last_command_id: 'cmd_7',
      status,
      commands: { queued: 1 },
    });
    await hub.connect();
    expect((await hub.admin(`/edge/agents/${AGENT}`)).json).toMatchObject({ connected: true });
  });

  it.each([
    ['another agent’s id', { edge_agent_id: OTHER }, 'edge_agent_id'],
    ['events that are no list', { pending_events: {} }, 'pending_events'],
    ['a status in words', { status: 'fine' }, 'status'],
    ['a command id that is a number', { last_command_id: 5 }, 'last_command_id'],
  ])('names the field of a body with %s', async (_what, fields, field) => {
    const hub = await startHub();
    const { status, json } = await sync(hub, fields);
    expect(status).toBe(400);
    expect(json.error.startsWith(`${field}: `)).toBe(true);
  });
});

describe('the admin endpoints', () => {
  it('refuse who has no token, a wrong one or the agents’ secret', async () => {
    const hub = await startHub();
    const body = { edge_agent_id: AGENT, thread_id: 't', message: 'm' };
    expect((await hub.post('/api/send-message', body, { Authorization: '' })).status).toBe(401);
    expect((await hub.post('/api/send-message', body)).status).toBe(403);
    expect((await hub.post('/api/commands', body)).status).toBe(403);
    expect((await fetch(`${hub.hub.url}/edge/agents/${AGENT}`)).status).toBe(401);
    expect((await fetch(`${hub.hub.url}/api/commands/x`)).status).toBe(401);
  });

  it('refuse everybody when there is no admin token', async () => {
    const hub = await startHub({ adminToken: undefined });
    expect((await hub.admin(`/edge/agents/${AGENT}`)).status).toBe(403);
    expect((await hub.admin(`/edge/agents/${AGENT}`, undefined, { Authorization: 'Bearer undefined' })).status).toBe(
      403,
    );
  });

  it('take the older names of the payload', async () => {
    const hub = await startHub();
    const base = { edge_agent_id: AGENT, command_type: 'cancel_scheduled', payload: undefined };
    await order(hub, 'a', { ...base, parameters: { schedule_id: 'x' } });
    await order(hub, 'b', { ...base, params: { schedule_id: 'y' }, priority: 'immediate' });
    const { commands } = (await sync(hub)).json;
    expect(commands).toMatchObject([
      { payload: { schedule_id: 'x' } },
      { payload: { schedule_id: 'y' }, priority: 'immediate' },
    ]);
  });

  it('say what does not exist', async () => {
    const hub = await startHub({ agents: [AGENT] });
    expect((await hub.admin('/api/commands/nope')).status).toBe(404);
    expect((await hub.admin('/edge/agents/nope')).status).toBe(404);
    expect((await order(hub, 'a', { edge_agent_id: OTHER })).status).toBe(404);
    const body = { edge_agent_id: OTHER, thread_id: 't', message: 'm' };
    expect((await hub.admin('/api/send-message', body)).status).toBe(404);
  });

  it.each([
    ['no type', { command_type: undefined }, 'command_type'],
    ['a payload in words', { payload: 'x' }, 'payload'],
    ['an unknown priority', { priority: 'soon' }, 'priority'],
    ['a payload no agent could read', { payload: { text: 'x'.repeat(600_000) } }, 'payload'],
    ['an id that is too long', { command_id: 'x'.repeat(129) }, 'command_id'],
  ])('name the field of a command with %s', async (_what, fields, field) => {
    const hub = await startHub();
    const { status, json } = await order(hub, 'a', fields);
    expect(status).toBe(400);
    expect(json.error.startsWith(`${field}: `)).toBe(true);
  });
});
