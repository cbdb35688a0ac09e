import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT, identity, SECRET, startHub } from './testHub.ts';

describe('the WebSocket endpoint', () => {
  it('greets an agent and answers its ping', async () => {
    const { connect, hub } = await startHub();
    const socket = await connect();
    expect(socket.frames).toEqual([{ type: 'connected', data: { message: 'WebSocket connected' } }]);
    await socket.roundTrip();
    expect(socket.frames.at(-1)).toEqual({ type: 'pong' });
    expect(await (await fetch(`${hub.url}/health`)).json()).toMatchObject({ status: 'ok', connections: 1 });
  });

  const bad: [string, { headers?: Record<string, string>; agentId?: string }, string, number][] = [
    ['no header', { headers: {} }, 'Missing or invalid Authorization header', 401],
    [
      'another scheme',
      { headers: { Authorization: `Basic ${SECRET}` } },
      'Missing or invalid Authorization header',
      401,
    ],
    ['a wrong token', { headers: identity(AGENT, 'wrong') }, 'Invalid token', 403],
    ['two different ids', { headers: identity('edge_15550100009') }, 'Invalid edge_agent_id', 403],
    [
      'an id with a space',
      { agentId: 'edge 1', headers: { Authorization: `Bearer ${SECRET}` } },
      'Invalid edge_agent_id',
      403,
    ],
    ['an unregistered id', { agentId: 'edge_15550100077' }, 'Edge agent not registered', 403],
  ];
  it.each(bad)('refuses %s with 4001 and the reason, or by HTTP where asked', async (_what, how, reason, status) => {
    const closing = await startHub({ agents: [AGENT] });
    expect((await closing.connect(how)).closed).toEqual({ code: 4001, reason });
    const answering = await startHub({ agents: [AGENT], wsReject: 'http' });
    const { refused } = await answering.connect(how);
    expect(refused).toMatchObject({ status, body: JSON.stringify({ error: reason }) });
  });

  it('answers a wrong path with 404, whatever the credentials', async () => {
    const { connect } = await startHub();
    const socket = await connect({ path: '/edge/wss?edge_agent_id=x', headers: {} });
    expect(socket.refused?.status).toBe(404);
  });

  it('accepts each secret of the list', async () => {
    const { connect } = await startHub({ secrets: ['old-one', 'new-one'] });
    expect((await connect({ headers: identity(AGENT, 'old-one') })).frames).toHaveLength(1);
    expect((await connect({ headers: identity(AGENT, 'new-one') })).frames).toHaveLength(1);
  });

  it('lets the newest of two sockets with one id win, and keeps it when the old one closes', async () => {
    const { connect, admin, hub } = await startHub();
    const old = await connect();
    const fresh = await connect();
    await waitFor('the old socket to close', () => old.closed);
    expect(old.closed).toEqual({ code: 4409, reason: 'replaced' });
    await fresh.roundTrip();
    expect(await (await fetch(`${hub.url}/health`)).json()).toMatchObject({ connections: 1 });
    await admin('/api/send-message', { edge_agent_id: AGENT, thread_id: '+15550100002', message: 'hi' });
    await waitFor('the command', () => fresh.commands.length === 1);
    expect(old.commands).toEqual([]);
  });

  it('drops a socket after a minute without a frame, and not before', async () => {
    const clock = new FakeClock();
    const { connect } = await startHub({ clock });
    const socket = await connect();
    await clock.advance(50_000);
    await socket.roundTrip();
    await clock.advance(50_000);
    await socket.roundTrip();
    expect(socket.closed).toBeUndefined();
    await clock.advance(61_000);
    await waitFor('the drop', () => socket.closed);
    expect(socket.closed?.code).toBe(1006);
  });

  it.each([
    ['text that is no JSON', '{"type":'],
    ['a number', '7'],
    ['a frame without a type', '{"data":{}}'],
    ['an unknown type', '{"type":"dance","data":{"x":1}}'],
    ['a status', '{"type":"status","data":{"uptime_seconds":5}}'],
    ['an ack without a command', '{"type":"command_ack","data":{"success":true}}'],
    ['an ack of nothing known', '{"type":"command_ack","data":{"command_id":"nope","success":true}}'],
    [
      'an ack with a poisoned prototype',
      '{"type":"command_ack","data":{"__proto__":{"status":"completed"},"command_id":"x"}}',
    ],
    [
      'an ack whose status is a method of every object',
      '{"type":"command_ack","data":{"command_id":"x","status":"toString"}}',
    ],
  ])('takes %s without harm', async (_what, frame) => {
    const { connect } = await startHub();
    const socket = await connect();
    socket.send(frame);
    await socket.roundTrip();
    expect(socket.closed).toBeUndefined();
  });

  it('closes a socket whose frame is larger than 1 MiB and goes on serving', async () => {
    const { connect } = await startHub();
    const socket = await connect();
    socket.send(JSON.stringify({ type: 'ping', data: 'x'.repeat(1024 * 1024) }));
    await waitFor('the close', () => socket.closed);
    expect(socket.closed?.code).toBe(1009);
    await (await connect()).roundTrip();
  });

  it('survives a peer that resets in mid-handshake', async () => {
    const { hub, connect: open } = await startHub();
    for (let i = 0; i < 20; i++) {
      const raw = connect(hub.port, '127.0.0.1');
      raw.on('error', () => {});
      raw.write('GET /edge/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      await new Promise((resolve) => raw.once('connect', resolve));
      raw.resetAndDestroy();
    }
    await (await open()).roundTrip();
  });

  it('limits handshakes and frames, and says when to come again', async () => {
    const { connect } = await startHub({ limits: { connects: 2, frames: 5 } });
    const first = await connect();
    for (let i = 0; i < 8; i++) first.send({ type: 'ping' });
    await waitFor('the close', () => first.closed);
    expect(first.closed?.code).toBe(1013);
    await connect();
    const third = await connect();
    expect(third.refused?.status).toBe(429);
    expect(Number(third.refused?.retryAfter)).toBeGreaterThan(0);
  });

  it('can be switched off, so that agents poll, and on again', async () => {
    const { hub, connect } = await startHub();
    const socket = await connect();
    hub.setSockets(false);
    await waitFor('the close', () => socket.closed);
    expect(socket.closed?.code).toBe(1012);
    expect((await connect()).refused).toMatchObject({ status: 503, retryAfter: '5' });
    hub.setSockets(true);
    await (await connect()).roundTrip();
  });

  it('closes with 1012 when the hub stops', async () => {
    const { hub, connect } = await startHub();
    const socket = await connect();
    await hub.stop();
    await waitFor('the close', () => socket.closed);
    expect(socket.closed?.code).toBe(1012);
  });
});
