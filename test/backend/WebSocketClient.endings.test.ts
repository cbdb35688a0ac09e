import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { settle } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT_ID, rawBackend, SECRET } from './httpServer.ts';
import { wsBackend, wsClient } from './wsServer.ts';

const refuse = (status: number, body = '', headers = '') =>
  wsBackend((_request, socket: Duplex) => {
    socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`);
  });

/** Starts a client and waits for its first wait. */
async function firstWait(url: string, overrides: Parameters<typeof wsClient>[1] = {}) {
  const agent = wsClient(url, overrides);
  agent.client.start();
  return { agent, ms: await agent.retryIn(1) };
}

describe('a handshake answered', () => {
  it.each([
    [401, 60_000],
    [403, 60_000],
    [404, 60_000],
    [301, 1000],
    [410, 60_000],
    [426, 60_000],
    [429, 1000],
    [500, 1000],
    [503, 1000],
    [200, 1000],
  ])('%i is tried again after %i ms', async (status, delay) => {
    const { agent, ms } = await firstWait((await refuse(status, 'why')).url);
    expect(ms).toBe(delay);
    expect(agent.argsOf('websocketError')).toEqual([[`Unexpected server response: ${status}`]]);
    expect(agent.argsOf('websocketClosed')).toEqual([]);
    expect(agent.argsOf('websocketRefused')).toHaveLength([429, 500, 503].includes(status) ? 0 : 1);
    expect(agent.refreshes()).toBe([401, 403].includes(status) ? 1 : 0);
    expect(agent.heard).toEqual([]);
  });

  it('401 tells what was sent and what the backend said, never the secret', async () => {
    const body = `unknown agent; got Bearer ${SECRET} ${'x'.repeat(5000)}`;
    const { agent } = await firstWait((await refuse(401, body)).url);
    const [info] = agent.argsOf('websocketRefused')[0] as [{ status: number; body: string; check: string }];
    expect(info.status).toBe(401);
    expect(info.body).toHaveLength(500);
    expect(info.body).toContain('unknown agent; got Bearer [secret]');
    expect(info.check).toContain(`X-Edge-Agent-Id: ${AGENT_ID}`);
    expect(JSON.stringify(agent.calls)).not.toContain(SECRET);
  });

  it.each([
    [429, '5', 5000],
    [503, '120', 120_000],
    [503, '1000000000', 900_000],
    [503, 'soon', 1000],
    [503, '0', 1000],
    [500, '120', 1000],
    [401, '5', 60_000],
  ])('%i with Retry-After %s is tried again after %i ms', async (status, header, delay) => {
    expect((await firstWait((await refuse(status, '', `Retry-After: ${header}\r\n`)).url)).ms).toBe(delay);
  });

  it('with a body that never ends is a refusal all the same', async () => {
    let written = false;
    const backend = await wsBackend((_request, socket) => {
      socket.write('HTTP/1.1 403 No\r\n\r\nno', () => {
        written = true;
      });
    });
    const agent = wsClient(backend.url);
    agent.client.start();
    await waitFor('the head', () => written);
    await settle();
    await agent.clock.advance(10_000);
    expect(await agent.retryIn(1)).toBe(60_000);
    await waitFor('the connection to close', () => backend.requests[0]!.socket.destroyed);
  });

  it('not at all is given up after 10 s', async () => {
    let reads = 0;
    const backend = await rawBackend(() => {
      reads += 1;
    });
    const agent = wsClient(backend.url.replace('http', 'ws'));
    agent.client.start();
    await waitFor('the handshake', () => reads > 0);
    await agent.clock.advance(9_999);
    expect(agent.events()).toEqual(['websocketConnecting']);
    await agent.clock.advance(1);
    expect(await agent.retryIn(1)).toBe(1000);
    expect(agent.argsOf('websocketError')).toEqual([['no connection within 10 s']]);
  });

  it('by a reset or by nobody is an error', async () => {
    const reset = await rawBackend((socket) => socket.resetAndDestroy());
    for (const url of [reset.url.replace('http', 'ws'), 'ws://127.0.0.1:1/edge/ws']) {
      const { agent, ms } = await firstWait(url);
      expect([ms, agent.argsOf('websocketError').length]).toEqual([1000, 1]);
    }
  });
});

describe('a connection closed', () => {
  const codes: [number, number, number][] = [
    [1012, 200, 0],
    [1013, 200, 0],
    [4001, 60_000, 1],
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1010, 1011, 1014, 3000, 3500, 4000, 4999].map(
      (code) => [code, 1000, 0] as [number, number, number],
    ),
  ];
  it.each(codes)('with %i is opened again after %i ms', async (code, delay, refreshes) => {
    const backend = await wsBackend();
    const agent = wsClient(backend.url);
    agent.client.start();
    await agent.up();
    (await waitFor('the server’s end', () => backend.sockets[0])).close(code, `${SECRET} why`);
    expect(await agent.retryIn(1)).toBe(delay);
    expect(agent.argsOf('websocketClosed')).toEqual([[code, '[secret] why']]);
    expect(agent.argsOf('websocketRefused')).toHaveLength(refreshes);
    expect(agent.refreshes()).toBe(refreshes);
    expect(agent.heard).toEqual(['up', 'down']);
  });

  it('without a code, or broken off, is opened again', async () => {
    for (const [end, code] of [
      ['close', 1005],
      ['terminate', 1006],
    ] as const) {
      const backend = await wsBackend();
      const agent = wsClient(backend.url);
      agent.client.start();
      await agent.up();
      (await waitFor('the server’s end', () => backend.sockets[0]))[end]();
      expect(await agent.retryIn(1)).toBe(1000);
      expect(agent.argsOf('websocketClosed')).toEqual([[code, '']]);
    }
  });

  it('at once, time after time, backs off to 60 s', async () => {
    const backend = await wsBackend();
    backend.server.on('upgrade', () => queueMicrotask(() => backend.sockets.at(-1)?.close(1012)));
    const agent = wsClient(backend.url);
    agent.client.start();
    const delays: unknown[] = [];
    for (let n = 1; n <= 9; n++) {
      delays.push(await agent.retryIn(n));
      await agent.clock.advance(delays.at(-1) as number);
    }
    expect(delays).toEqual([200, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('after 30 s up starts the count again', async () => {
    const backend = await wsBackend();
    const agent = wsClient(backend.url);
    agent.client.start();
    const drop = async (n: number, upMs: number) => {
      await agent.up();
      const socket = await waitFor('the server’s end', () => backend.sockets[n - 1]);
      const pongs = agent.argsOf('websocketPong').length;
      socket.send('{"type":"pong"}');
      await waitFor('the pong', () => agent.argsOf('websocketPong').length > pongs);
      await agent.clock.advance(upMs);
      socket.terminate();
      const ms = await agent.retryIn(n);
      await agent.clock.advance(ms as number);
      return ms;
    };
    expect([await drop(1, 0), await drop(2, 29_000), await drop(3, 30_000), await drop(4, 0)]).toEqual([
      1000, 2000, 1000, 2000,
    ]);
  });
});

describe('a frame the socket cannot take', () => {
  it('larger than 1 MiB ends the connection and says so', async () => {
    const backend = await wsBackend();
    const agent = wsClient(backend.url);
    agent.client.start();
    await agent.up();
    (await waitFor('the server’s end', () => backend.sockets[0])).send('x'.repeat(1024 * 1024 + 1));
    expect(await agent.retryIn(1)).toBe(1000);
    expect(agent.argsOf('frameRefused')).toEqual([
      ['EDGE_FRAME_INVALID', expect.stringContaining('larger than 1 MiB')],
    ]);
    expect(agent.argsOf('websocketClosed')).toHaveLength(1);
  });

  it.each([
    ['bad UTF-8', [0x81, 0x02, 0xc3, 0x28]],
    ['a reserved bit', [0xc1, 0x00]],
    ['a mask', [0x81, 0x80, 1, 2, 3, 4]],
    ['a reserved opcode', [0x83, 0x00]],
    ['a control frame over 125 bytes', [0x89, 0x7e, 0x00, 0x7e]],
  ])('such as one with %s ends the connection, and another is made', async (_what, bytes) => {
    const backend = await wsBackend();
    const agent = wsClient(backend.url);
    agent.client.start();
    await agent.up();
    await waitFor('the server’s end', () => backend.sockets[0]);
    backend.requests[0]!.socket.write(Buffer.from(bytes));
    expect(await agent.retryIn(1)).toBe(1000);
    expect(agent.argsOf('websocketError')).toHaveLength(1);
    await agent.clock.advance(1000);
    await agent.up();
  });
});
