import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Network } from '../../src/backend/network/Network.ts';
import { EdgeError } from '../../src/util/EdgeError.ts';
import { settle } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';
import { rawBackend, SECRET } from './httpServer.ts';
import { wsBackend, wsClient } from './wsServer.ts';

type Overrides = Parameters<typeof wsClient>[1];

async function connected(overrides: Overrides = {}) {
  const backend = await wsBackend();
  const agent = wsClient(backend.url, overrides);
  agent.client.start();
  await agent.up();
  return { backend, agent, socket: await serverEnd(backend, 0) };
}

const serverEnd = (backend: { sockets: WebSocket[] }, n: number) =>
  waitFor('the server’s end', () => backend.sockets[n]);

const refusing = (status: number, headers = '') =>
  wsBackend((_request, socket) => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n${headers}\r\n`));

describe('a handshake with nobody behind it', () => {
  it('does not count as a connection: 10 s without a frame end it, and back-off goes on', async () => {
    const backend = await wsBackend(undefined, { isMute: true });
    const agent = wsClient(backend.url);
    agent.client.start();
    await waitFor('the ping', () => backend.frames.length === 1);
    expect([agent.client.isUp, agent.client.status.state]).toEqual([false, 'connecting']);
    expect(agent.client.send({ type: 'ping' })).toBe(false);
    await agent.clock.advance(10_000);
    expect(await agent.retryIn(1)).toBe(1000);
    expect(agent.heard).toEqual([]);
    expect(agent.events()).not.toContain('websocketConnected');
    expect(agent.argsOf('websocketDialed')).toEqual([['open']]);
  });

  it('that is followed by 4001 changes neither state nor polling, and is tried again after 60 s', async () => {
    const backend = await wsBackend(undefined, { isMute: true });
    backend.server.on('upgrade', () => queueMicrotask(() => backend.sockets.at(-1)?.close(4001, 'who are you')));
    const agent = wsClient(backend.url);
    agent.client.start();
    for (let n = 1; n <= 3; n++) {
      expect(await agent.retryIn(n)).toBe(60_000);
      expect(agent.client.status).toMatchObject({
        state: 'halted',
        nextDialInMs: 60_000,
        failures: n,
        lastProblem: { code: '4001', text: 'closed with 4001: who are you' },
      });
      await agent.clock.advance(60_000);
    }
    expect([agent.heard, agent.refreshes()]).toEqual([[], 3]);
  });

  it('is read even while paused until the first frame, and not after it', async () => {
    const backend = await wsBackend(undefined, { isMute: true });
    const agent = wsClient(backend.url);
    agent.client.pause();
    agent.client.start();
    const socket = await serverEnd(backend, 0);
    socket.send('{"type":"connected"}');
    await agent.up();
    await new Promise<void>((resolve) => socket.send('{"type":"command","data":1}', () => resolve()));
    await settle();
    expect(agent.heard).toEqual(['up']);
    agent.client.resume();
    await waitFor('the command', () => agent.heard.length === 2);
  });
});

describe('a refused secret', () => {
  it.each([401, 403])('(%i) waits its 60 s while it stays the same', async (status) => {
    const agent = wsClient((await refusing(status)).url);
    agent.client.start();
    expect(await agent.retryIn(1)).toBe(60_000);
    expect(agent.client.status).toMatchObject({ state: 'halted', lastProblem: { code: `status_${status}` } });
    expect(agent.argsOf('websocketDialed')).toEqual([[`status_${status}`]]);
  });

  it('is given up at once when reading it again gives another', async () => {
    let secret = 'canary-old';
    const backend = await refusing(401);
    const agent = wsClient(backend.url, {
      secret: () => secret,
      refreshSecret: () => {
        secret = SECRET;
      },
    });
    agent.client.start();
    expect(await agent.retryIn(1)).toBe(60_000);
    expect(backend.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer canary-old',
      `Bearer ${SECRET}`,
    ]);
  });

  it('is followed by a new one as soon as that is told of', async () => {
    let secret = 'canary-old';
    const backend = await wsBackend();
    const agent = wsClient(backend.url, { secret: () => secret });
    agent.client.start();
    await agent.up();
    (await serverEnd(backend, 0)).close(4001);
    expect(await agent.retryIn(1)).toBe(60_000);
    secret = SECRET;
    agent.client.secretChanged();
    await agent.up();
    expect(backend.requests[1]!.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(agent.clock.monotonic()).toBe(0);
  });

  it('alone makes a change of the secret a reason to dial', async () => {
    const { backend, agent, socket } = await connected();
    agent.client.secretChanged();
    socket.terminate();
    await agent.retryIn(1);
    agent.client.secretChanged();
    await settle();
    expect([agent.client.status.state, backend.requests.length]).toEqual(['waiting', 1]);
  });
});

describe('a wake', () => {
  it('replaces a live socket at once, whatever that says of itself', async () => {
    const { backend, agent, socket } = await connected();
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    agent.client.renew();
    await agent.up();
    expect([backend.requests.length, agent.heard, agent.clock.monotonic()]).toEqual([2, ['up', 'down', 'up'], 0]);
    expect(agent.argsOf('websocketClosed')).toEqual([[1006, 'replaced after a sleep']]);
    expect([1001, 1006]).toContain(await closed);
  });

  it('ends a wait, and lets back-off begin anew', async () => {
    const agent = wsClient('ws://127.0.0.1:1/edge/ws');
    agent.client.start();
    for (const [n, ms] of [1000, 2000, 4000].entries()) {
      expect(await agent.retryIn(n + 1)).toBe(ms);
      await agent.clock.advance(ms);
    }
    await agent.retryIn(4);
    agent.client.renew();
    expect(await agent.retryIn(5)).toBe(1000);
    expect(agent.argsOf('websocketDialed')[0]).toEqual(['ECONNREFUSED']);
  });

  it('gives up a dial that hangs', async () => {
    let isHanging = true;
    const backend = await wsBackend();
    const hanging = await wsBackend(() => {});
    const agent = wsClient(backend.url, {
      createSocket: (_url, options) => new WebSocket(isHanging ? hanging.url : backend.url, options),
    });
    agent.client.start();
    await waitFor('the handshake', () => hanging.requests.length === 1);
    isHanging = false;
    agent.client.renew();
    await agent.up();
    await waitFor('the first to close', () => hanging.requests[0]!.socket.destroyed);
    expect(agent.argsOf('websocketDialed')).toEqual([['abandoned'], ['open']]);
  });

  it('does not shorten a wait that the backend asked for', async () => {
    const backend = await refusing(503, 'Retry-After: 300\r\n');
    const agent = wsClient(backend.url);
    agent.client.start();
    expect(await agent.retryIn(1)).toBe(300_000);
    agent.client.renew();
    await settle();
    expect([backend.requests.length, agent.client.status.nextDialInMs]).toEqual([1, 300_000]);
  });
});

describe('a drain', () => {
  it.each([
    [{ retry_after_ms: 5000 }, 5000],
    [{ retry_after_ms: 3_600_000 }, 900_000],
    [{ retry_after_ms: 0 }, 200],
    [{ retry_after_ms: 'soon' }, 200],
    [undefined, 200],
  ])('of %j is left with 1000, and come back from after %i ms', async (data, ms) => {
    const { backend, agent, socket } = await connected();
    socket.send(JSON.stringify({ type: 'drain', data }));
    expect(await agent.retryIn(1)).toBe(ms);
    await waitFor('the close', () => backend.closes.length === 1);
    expect([backend.closes, agent.heard]).toEqual([[1000], ['up', 'down']]);
    expect(agent.argsOf('websocketDraining')).toHaveLength(1);
    await agent.clock.advance(ms);
    await agent.up();
  });

  it('is no failure after a connection that lasted, and is one where every connection is drained', async () => {
    const { backend, agent, socket } = await connected();
    const drain = '{"type":"drain","data":{"retry_after_ms":0}}';
    socket.send('{"type":"pong"}');
    await waitFor('the pong', () => agent.heard.includes('pong'));
    await agent.clock.advance(30_000);
    socket.send(drain);
    const delays = [await agent.retryIn(1)];
    expect(agent.client.status.failures).toBe(0);
    for (let n = 1; n <= 4; n++) {
      await agent.clock.advance(delays.at(-1) as number);
      (await serverEnd(backend, n)).send(drain);
      delays.push(await agent.retryIn(n + 1));
    }
    expect(delays).toEqual([200, 200, 2000, 4000, 8000]);
  });
});

describe('the spread a greeting asks for', () => {
  it('is added to the first wait after that connection, and to no other', async () => {
    const { backend, agent, socket } = await connected({ random: () => 0.5 });
    socket.send('{"type":"connected","data":{"reconnect_spread_ms":20000}}');
    await waitFor('the greeting', () => agent.argsOf('frameIgnored').length === 1);
    socket.close(1012);
    expect(await agent.retryIn(1)).toBe(1100 + 10_000);
    await agent.clock.advance(11_100);
    (await serverEnd(backend, 1)).close(1012);
    expect(await agent.retryIn(2)).toBe(2250);
  });
});

describe('a frame larger than 1 MiB', () => {
  const large = JSON.stringify({ type: 'command', data: 'x'.repeat(1024 * 1024) });

  it('with every connection is told once, tried once a minute, and over when a connection lasts', async () => {
    const { backend, agent } = await connected();
    const delays: unknown[] = [];
    for (let n = 1; n <= 4; n++) {
      await agent.up();
      (await serverEnd(backend, n - 1)).send(large);
      delays.push(await agent.retryIn(n));
      await agent.clock.advance(delays.at(-1) as number);
    }
    expect(delays).toEqual([1000, 60_000, 60_000, 60_000]);
    const told = () => agent.heard.filter((heard) => typeof heard === 'object');
    expect(told()).toEqual([{ largeFrames: true }]);
    expect(agent.argsOf('conditionRaised').map(([code]) => code)).toEqual(['EDGE_BACKEND_TOO_LARGE']);
    await agent.up();
    await agent.clock.advance(29_999);
    expect(agent.argsOf('conditionCleared')).toEqual([]);
    await agent.clock.advance(1);
    expect(agent.argsOf('conditionCleared')).toEqual([['EDGE_BACKEND_TOO_LARGE']]);
    expect(told()).toEqual([{ largeFrames: true }, { largeFrames: false }]);
    (await serverEnd(backend, 4)).terminate();
    expect(await agent.retryIn(5)).toBe(1000);
  });

  it('between other losses is none of that', async () => {
    const { backend, agent } = await connected();
    for (let n = 1; n <= 4; n++) {
      await agent.up();
      const socket = await serverEnd(backend, n - 1);
      if (n % 2 === 1) socket.send(large);
      else socket.terminate();
      await agent.clock.advance((await agent.retryIn(n)) as number);
    }
    expect(agent.argsOf('conditionRaised')).toEqual([]);
  });
});

describe('what keeps a dial from the backend', () => {
  it('is a condition where a person has to mend it, and is over when the backend answers', async () => {
    const backend = await wsBackend();
    let url = 'wss://127.0.0.1';
    const { port } = new URL(backend.url);
    const agent = wsClient(backend.url, {
      createSocket: (_url, options) => new WebSocket(`${url}:${port}/edge/ws`, { ...options, agent: undefined }),
    });
    agent.client.start();
    await agent.retryIn(1);
    expect(agent.argsOf('conditionRaised').map(([code]) => code)).toEqual(['EDGE_TLS_FAILED']);
    url = 'ws://backend.invalid';
    await agent.clock.advance(1000);
    await agent.retryIn(2);
    expect(agent.argsOf('conditionRaised').map(([code]) => code)).toEqual(['EDGE_TLS_FAILED', 'EDGE_BACKEND_DNS']);
    url = 'ws://127.0.0.1';
    await agent.clock.advance(2000);
    await agent.up();
    expect(agent.argsOf('conditionCleared')).toEqual([['EDGE_TLS_FAILED'], ['EDGE_BACKEND_DNS']]);
  });
});

it('a key that is none of the pinned halts the dials, loudly', async () => {
  const agent = wsClient('wss://127.0.0.1:1/edge/ws', {
    createSocket: () => {
      throw new EdgeError('EDGE_TLS_PIN', 'another key');
    },
  });
  agent.client.start();
  await agent.clock.advance(0);
  expect(await agent.retryIn(1)).toBe(60_000);
  expect(agent.client.status).toMatchObject({ state: 'halted', lastProblem: { code: 'EDGE_TLS_PIN' } });
  expect(agent.argsOf('conditionRaised')).toEqual([['EDGE_TLS_PIN', 'another key']]);
});

it('stop() and a wake end a dial through a proxy that says nothing, its connection included', async () => {
  const asked: Socket[] = [];
  const proxy = await rawBackend((socket) => asked.push(socket));
  const agent = wsClient('ws://backend.invalid/edge/ws', { network: new Network({ proxyUrl: proxy.url }) });
  agent.client.start();
  for (const [n, end] of [() => agent.client.renew(), () => agent.client.stop()].entries()) {
    const socket = await waitFor('the CONNECT', () => asked[n]);
    await end();
    await waitFor('the connection to the proxy to close', () => socket.readableEnded || socket.destroyed);
  }
});

describe('stop(), whatever the state and the peer,', () => {
  const states: [string, () => Promise<ReturnType<typeof wsClient>>][] = [
    ['dialling somebody who accepts and says nothing', () => dialling(() => {})],
    ['dialling somebody who drips a refusal', () => dialling((socket) => socket.write('HTTP/1.1 403 No\r\n\r\nno'))],
    ['dialling somebody who resets', () => dialling((socket) => socket.destroy(), false)],
    ['dialling a name that is looked up', async () => started('ws://backend.invalid/edge/ws')],
    ['connected to nobody', async () => proving()],
    ['up', async () => (await connected()).agent],
    ['up with a peer that reads no more', async () => stalled()],
    ['up and paused', async () => paused()],
    ['just renewed', async () => renewed()],
    ['drained', async () => drained()],
    ['waiting', async () => waitingAfter(500)],
    ['halted', async () => waitingAfter(401)],
    ['without a secret', async () => started('ws://127.0.0.1:1/edge/ws', { secret: () => undefined })],
    ['given an address that is none', async () => started('nonsense')],
  ];

  it.each(states)('%s: resolves within 2 s and leaves nothing', { timeout: 12_000 }, async (_state, make) => {
    const agent = await make();
    const told = agent.calls.length;
    await Promise.race([
      agent.client.stop(),
      new Promise((_resolve, reject) => setTimeout(reject, 2000, new Error('stop took more than 2 s')).unref()),
    ]);
    const heard = agent.heard.length;
    await agent.clock.advance(120_000);
    expect([agent.clock.pending, agent.client.status.state]).toEqual([0, 'stopped']);
    expect([agent.calls.length, agent.heard.length]).toEqual([told, heard]);
  });

  function started(url: string, overrides: Overrides = {}) {
    const agent = wsClient(url, overrides);
    agent.client.start();
    return agent;
  }

  async function dialling(answer: (socket: Duplex) => void, waits = true) {
    const backend = await wsBackend((_request, socket) => answer(socket));
    const agent = started(backend.url);
    if (waits) await waitFor('the handshake', () => backend.requests.length === 1);
    return agent;
  }

  async function proving() {
    const backend = await wsBackend(undefined, { isMute: true });
    const agent = started(backend.url);
    await waitFor('the ping', () => backend.frames.length === 1);
    return agent;
  }

  async function stalled() {
    const { agent, socket } = await connected();
    socket.pause();
    return agent;
  }

  async function paused() {
    const { agent } = await connected();
    agent.client.pause();
    return agent;
  }

  async function renewed() {
    const { agent, socket } = await connected();
    socket.pause();
    agent.client.renew();
    return agent;
  }

  async function drained() {
    const { agent, socket } = await connected();
    socket.send('{"type":"drain","data":{"retry_after_ms":60000}}');
    await agent.retryIn(1);
    return agent;
  }

  async function waitingAfter(status: number) {
    const agent = started((await refusing(status)).url);
    await agent.retryIn(1);
    return agent;
  }
});
