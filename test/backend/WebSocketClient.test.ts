import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { settle } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT_ID, SECRET } from './httpServer.ts';
import { wsBackend, wsClient } from './wsServer.ts';

/** A client that is up, and the server's end of its connection. */
async function connected(overrides: Parameters<typeof wsClient>[1] = {}) {
  const backend = await wsBackend();
  const agent = wsClient(backend.url, overrides);
  agent.client.start();
  await agent.up();
  const socket = await waitFor('the server’s end', () => backend.sockets[0]);
  return { backend, agent, socket };
}

describe('connecting', () => {
  it('sends secret and agent id, and tells first the address, then the success', async () => {
    const { backend, agent } = await connected();
    expect(backend.requests[0]).toMatchObject({
      url: `/edge/ws?edge_agent_id=${AGENT_ID}`,
      headers: { authorization: `Bearer ${SECRET}`, 'x-edge-agent-id': AGENT_ID },
    });
    expect(backend.requests[0]!.headers['sec-websocket-extensions']).toBeUndefined();
    expect(agent.events().slice(0, 3)).toEqual(['websocketConnecting', 'websocketDialed', 'websocketConnected']);
    expect(agent.argsOf('websocketConnecting')).toEqual([[`${backend.url}?edge_agent_id=${AGENT_ID}`]]);
    expect(agent.heard).toEqual(['up']);
    expect(JSON.stringify(agent.calls)).not.toContain(SECRET);
  });

  it('escapes the agent id in the address', async () => {
    const backend = await wsBackend();
    const agent = wsClient(backend.url, { agentId: 'a&b c' });
    agent.client.start();
    await agent.up();
    expect(backend.requests[0]!.url).toBe('/edge/ws?edge_agent_id=a%26b%20c');
  });

  it('waits for a secret, asking for it again, without opening a connection', async () => {
    let secret: string | undefined;
    const backend = await wsBackend();
    const agent = wsClient(backend.url, { secret: () => secret });
    agent.client.start();
    expect(await agent.retryIn(1)).toBe(60_000);
    expect([agent.refreshes(), agent.events()]).toEqual([1, ['failure', 'websocketRetryIn']]);
    secret = SECRET;
    await agent.clock.advance(60_000);
    await agent.up();
    expect(backend.requests).toHaveLength(1);
  });

  it('survives an address that cannot be one', async () => {
    const agent = wsClient('nonsense');
    agent.client.start();
    await agent.clock.advance(0);
    expect(await agent.retryIn(1)).toBe(1000);
    expect(agent.events()).toEqual(['websocketConnecting', 'websocketDialed', 'websocketError', 'websocketRetryIn']);
  });
});

describe('frames', () => {
  it('of type command, config_update and pong are handed on, others ignored', async () => {
    const { agent, socket } = await connected();
    socket.send('{"type":"connected"}');
    socket.send('{"type":"command","data":{"command_id":"c1"}}');
    socket.send('{"type":"config_update","data":{"sync_interval":5}}');
    socket.send(`{"type":"${'new'.repeat(100)}"}`);
    socket.send('{"type":"pong"}');
    await waitFor('the pong', () => agent.heard.includes('pong'));
    expect(agent.heard).toEqual(['up', { command: { command_id: 'c1' } }, { config: { sync_interval: 5 } }, 'pong']);
    expect(agent.argsOf('frameIgnored')).toEqual([['connected'], ['new'.repeat(100).slice(0, 64)]]);
    expect(agent.argsOf('websocketPong')).toEqual([[0]]);
  });

  it('that are none are refused without their content, and the connection stays', async () => {
    const { agent, socket } = await connected();
    for (const bad of ['canary', '["canary"]', '{"data":"canary"}']) socket.send(bad);
    socket.send(Buffer.from('canary'), { binary: true });
    await waitFor('four refusals', () => agent.argsOf('frameRefused').length === 4);
    expect(JSON.stringify(agent.calls)).not.toContain('canary"');
    expect(agent.argsOf('frameRefused').map(([code]) => code)).toEqual(Array(4).fill('EDGE_FRAME_INVALID'));
    expect(agent.client.isUp).toBe(true);
  });

  it('go out as JSON while up, and not otherwise', async () => {
    const { backend, agent } = await connected();
    const ack = {
      type: 'command_ack',
      data: { command_id: 'c1', success: true, error: null, timestamp: 't', status: 'completed' },
    } as const;
    expect(agent.client.send(ack)).toBe(true);
    await waitFor('the ack', () => backend.frames.length === 2);
    expect(backend.frames).toEqual([{ type: 'ping' }, ack]);
    await agent.client.stop();
    expect(agent.client.send(ack)).toBe(false);
  });

  it('are not read while paused, and silence is then no proof of death', async () => {
    const { agent, socket } = await connected();
    socket.send('{"type":"pong"}');
    await waitFor('the pong', () => agent.heard.includes('pong'));
    agent.client.pause();
    socket.send('{"type":"command","data":1}');
    await agent.clock.advance(120_000);
    expect([agent.client.isUp, agent.heard]).toEqual([true, ['up', 'pong']]);
    agent.client.resume();
    await waitFor('the command', () => agent.heard.length === 3);
    await agent.clock.advance(9_000);
    expect(agent.client.isUp).toBe(true);
  });

  it('stay unread on a connection made while paused, until resumed', async () => {
    const { backend, agent, socket } = await connected();
    socket.terminate();
    await agent.retryIn(1);
    agent.client.pause();
    await agent.clock.advance(1000);
    await agent.up();
    const next = await waitFor('the second connection', () => backend.sockets[1]);
    await new Promise<void>((resolve) => next.send('{"type":"command","data":2}', () => resolve()));
    await settle();
    expect(agent.heard).toEqual(['up', 'down', 'up']);
    agent.client.resume();
    await waitFor('the command', () => agent.heard.length === 4);
  });
});

describe('a callback that throws', () => {
  it.each(['EDGE_STATE_FULL', 'EDGE_STATE_BUSY', 'EDGE_COMMANDS_FULL'] as const)(
    '%s closes with 1013 and backs off, and nothing after the command is taken',
    async (code) => {
      const taken: unknown[] = [];
      const { backend, agent, socket } = await connected({
        onCommand: (raw) => {
          taken.push(raw);
          throw new EdgeError(code, 'no room');
        },
      });
      socket.send('{"type":"command","data":1}');
      socket.send('{"type":"command","data":2}');
      expect(await agent.retryIn(1)).toBe(1000);
      await waitFor('the close', () => backend.closes.length === 1);
      expect([backend.closes, taken]).toEqual([[1013], [1]]);
      expect(agent.argsOf('failure')).toEqual([[code, 'no room']]);
      expect(agent.argsOf('websocketClosed')).toEqual([[1013, `not taken in: ${code}`]]);
      expect(agent.heard).toEqual(['up', 'down']);
    },
  );

  it('anything else is reported, and the connection goes on', async () => {
    const { agent, socket } = await connected({
      onCommand: () => {
        throw new Error('defect');
      },
    });
    socket.send('{"type":"command","data":1}');
    socket.send('{"type":"pong"}');
    await waitFor('the pong', () => agent.heard.includes('pong'));
    expect(agent.argsOf('failure')).toEqual([['EDGE_INTERNAL', 'defect']]);
    expect(agent.client.isUp).toBe(true);
  });
});

describe('the heartbeat', () => {
  it('pings at once and then every interval', async () => {
    const { backend, agent, socket } = await connected();
    socket.on('message', () => socket.send('{"type":"pong"}'));
    await waitFor('the first ping', () => backend.frames.length === 1);
    socket.send('{"type":"pong"}');
    await waitFor('the pong', () => agent.heard.includes('pong'));
    await agent.clock.advance(29_999);
    expect(backend.frames).toHaveLength(1);
    await agent.clock.advance(1);
    await waitFor('the second ping', () => backend.frames.length === 2);
    expect(backend.frames).toEqual([{ type: 'ping' }, { type: 'ping' }]);
  });

  it('declares a peer dead that has fallen silent 10 s after a ping, 40 s at most, and connects anew', async () => {
    const { backend, agent } = await connected();
    await agent.clock.advance(39_999);
    expect(agent.client.isUp).toBe(true);
    await agent.clock.advance(1);
    expect(agent.client.isUp).toBe(false);
    expect(agent.argsOf('websocketClosed')).toEqual([[1006, 'no frame within 10 s of a ping']]);
    expect(agent.heard).toEqual(['up', 'down']);
    await agent.clock.advance(1000);
    await agent.up();
    expect(backend.requests).toHaveLength(2);
  });

  it.each(['{"type":"anything"}', 'not even JSON'])('takes any frame (%s) for life', async (frame) => {
    const { agent, socket } = await connected();
    socket.send(frame);
    await waitFor('the frame', () => agent.calls.length > 2);
    await agent.clock.advance(29_000);
    expect(agent.client.isUp).toBe(true);
  });

  it('takes a ping of the protocol layer for life', async () => {
    const { agent, socket } = await connected();
    const answered = new Promise((resolve) => socket.once('pong', resolve));
    socket.ping();
    await answered;
    await agent.clock.advance(29_000);
    expect(agent.client.isUp).toBe(true);
  });
});

describe('stop()', () => {
  it('closes a live connection with 1001, quietly', async () => {
    const { backend, agent } = await connected();
    await agent.client.stop();
    await waitFor('the close', () => backend.closes.length === 1);
    expect(backend.closes).toEqual([1001]);
    expect(agent.heard).toEqual(['up']);
    expect([agent.client.isUp, agent.clock.pending]).toEqual([false, 0]);
  });

  it('ends a wait', async () => {
    const agent = wsClient('ws://127.0.0.1:1/edge/ws');
    agent.client.start();
    await agent.retryIn(1);
    await agent.client.stop();
    await agent.clock.advance(120_000);
    expect(agent.argsOf('websocketConnecting')).toHaveLength(1);
    expect(agent.clock.pending).toBe(0);
  });

  it('breaks off a handshake that hangs', async () => {
    const backend = await wsBackend(() => {});
    const agent = wsClient(backend.url);
    agent.client.start();
    await waitFor('the handshake', () => backend.requests.length === 1);
    await agent.client.stop();
    expect([agent.events(), agent.clock.pending]).toEqual([['websocketConnecting'], 0]);
    await waitFor('the connection to close', () => backend.requests[0]!.socket.destroyed);
  });

  it('breaks off the reading of a refusal', async () => {
    const backend = await wsBackend((_request, socket) =>
      socket.write('HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nno'),
    );
    const agent = wsClient(backend.url);
    agent.client.start();
    await waitFor('the handshake', () => backend.requests.length === 1);
    await agent.client.stop();
    await waitFor('the connection to close', () => backend.requests[0]!.socket.destroyed);
    expect([agent.events(), agent.clock.pending]).toEqual([['websocketConnecting'], 0]);
  });

  it('does not wait for a peer that says nothing more', async () => {
    const { agent, socket } = await connected();
    socket.pause();
    await agent.client.stop(); // ws alone would wait 30 s, longer than this test may last
    expect(agent.clock.pending).toBe(0);
  });

  it('closes a paused connection too', async () => {
    const { backend, agent } = await connected();
    agent.client.pause();
    await agent.client.stop();
    await waitFor('the close', () => backend.closes.length === 1);
    expect(backend.closes).toEqual([1001]);
  });

  it('is harmless before start() and twice, and start() begins again', async () => {
    const { backend, agent } = await connected();
    await Promise.all([agent.client.stop(), agent.client.stop()]);
    await agent.client.stop();
    agent.client.start();
    agent.client.start();
    await agent.up();
    expect(backend.requests).toHaveLength(2);
    await wsClient(backend.url).client.stop();
  });
});

describe('many small frames in one packet', () => {
  it('leave the event loop its turns, so that they hold nothing else up', async () => {
    let count = 0;
    let takenByThen: number | undefined;
    const { agent, socket } = await connected({
      onCommand: () => {
        count += 1;
        if (count > 1) return;
        setImmediate(() => {
          takenByThen = count;
        });
      },
    });
    const payload = Buffer.from('{"type":"command"}');
    const frame = Buffer.concat([Buffer.of(0x81, payload.length), payload]);
    (socket as unknown as { _socket: Socket })._socket.write(Buffer.concat(Array.from({ length: 500 }, () => frame)));
    await waitFor('all of them', () => count === 500);
    expect(takenByThen).toBeLessThan(10);
    expect(agent.client.isUp).toBe(true);
  });
});
