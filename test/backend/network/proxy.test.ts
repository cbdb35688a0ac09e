import { afterEach, describe, expect, it, vi } from 'vitest';
import { Network, type NetworkOptions } from '../../../src/backend/network/Network.ts';
import { proxyFor } from '../../../src/backend/network/proxyFor.ts';
import { authority } from '../../support/certificates.ts';
import { connectProxy } from '../../support/connectProxy.ts';
import { FakeClock } from '../../support/FakeClock.ts';
import { recordingTelemetry } from '../../support/recordingTelemetry.ts';
import { waitFor } from '../../support/waitFor.ts';
import { backendClient, errorOf, httpBackend, post, SECRET } from '../httpServer.ts';
import { wsBackend, wsClient } from '../wsServer.ts';
import { caFile } from './caFile.ts';
import { tlsBackend } from './tlsBackend.ts';

/** A name that only the proxy knows, so that nothing can go around it. */
const HOST = 'backend.invalid';

afterEach(() => vi.unstubAllEnvs());

async function behind(options: NetworkOptions) {
  const own = authority();
  const backend = await tlsBackend(own.issue(`DNS:${HOST},IP:10.0.0.5`));
  const { telemetry, calls } = recordingTelemetry();
  const clock = new FakeClock();
  const network = new Network({ caFile: caFile(own.cert), clock, telemetry, ...options });
  const { url, socketUrl } = backend.at(HOST);
  const { client } = backendClient(url, { network });
  const told = (event: string) => calls.filter((call) => call.event === event).map(({ args }) => args);
  return { backend, network, client, clock, told, socket: wsClient(socketUrl, { network }) };
}

describe('through a proxy', () => {
  it('go messages and the socket, encrypted to the backend; the proxy sees neither secret nor path', async () => {
    const proxy = await connectProxy();
    const { backend, client, socket } = await behind({ proxyUrl: proxy.url });
    expect(await post(client, 'GUID-1')).toEqual({ should_respond: false });
    await post(client, 'GUID-2');
    socket.client.start();
    await socket.up();
    expect(backend.received).toEqual(['POST /edge/message', 'POST /edge/message', 'UPGRADE /edge/ws']);
    expect(proxy.connects.map(({ url }) => url)).toEqual(Array(2).fill(`${HOST}:${backend.port}`));
    expect(JSON.stringify(proxy.connects.map(({ headers }) => headers))).not.toContain(SECRET);
    expect(proxy.others).toEqual([]);
  });

  it('go those to a backend without TLS, by CONNECT as well', async () => {
    const proxy = await connectProxy();
    const network = new Network({ proxyUrl: proxy.url });
    const plain = await httpBackend((_request, response) => response.end('{}'));
    const { client } = backendClient(plain.url.replace('127.0.0.1', HOST), { network });
    expect(await post(client, 'GUID-1')).toEqual({});
    const sockets = await wsBackend();
    const socket = wsClient(sockets.url.replace('127.0.0.1', HOST), { network });
    socket.client.start();
    await socket.up();
    expect(proxy.connects).toHaveLength(2);
    expect(proxy.others).toEqual([]);
  });

  it('that speaks TLS itself, with an authority of the same file', async () => {
    const own = authority();
    const proxy = await connectProxy({ pair: own.issue('IP:127.0.0.1') });
    const backend = await tlsBackend(own.issue(`DNS:${HOST}`));
    const network = new Network({ caFile: caFile(own.cert), proxyUrl: proxy.url });
    const { client } = backendClient(backend.at(HOST).url, { network });
    expect(await post(client, 'GUID-1')).toEqual({ should_respond: false });
  });

  it('the certificate is checked against the backend and not against the proxy', async () => {
    const proxy = await connectProxy();
    const { backend, network } = await behind({ proxyUrl: proxy.url });
    const at = (host: string) => backendClient(backend.at(host).url, { network }).client;
    expect(await errorOf(post(at('other.invalid'), 'GUID-1'))).toMatchObject({ code: 'EDGE_TLS_HOST' });
    expect(await errorOf(post(at('10.0.0.6'), 'GUID-2'))).toMatchObject({ code: 'EDGE_TLS_HOST' });
    expect(await post(at('10.0.0.5'), 'GUID-3')).toEqual({ should_respond: false });
  });

  it('with a user name and password, which stand in no text', async () => {
    const proxy = await connectProxy({
      refuse(request, socket) {
        const isKnown = request.headers['proxy-authorization'] === `Basic ${btoa('user:p@ss')}`;
        if (!isKnown) socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
        return !isKnown;
      },
    });
    vi.stubEnv('HTTPS_PROXY', proxy.url.replace('//', '//user:p%40ss@'));
    const { client, network, socket, told, backend } = await behind({});
    await post(client, 'GUID-1');
    socket.client.start();
    await socket.up();
    expect(proxy.connects[0]!.headers).not.toHaveProperty('authorization');
    network.start([backend.at(HOST).url]);
    proxy.close();
    const error = await errorOf(backendClientAfter(client));
    expect(`${JSON.stringify(told('networkUsed'))} ${error.message}`).not.toMatch(/p@ss|p%40ss|user/);
    expect(told('networkUsed')[0]![0]).toContain(`proxy ${proxy.url}`);
  });
});

/** The connection that was kept is closed, and a new one needs the proxy. */
async function backendClientAfter(client: Parameters<typeof post>[0]): Promise<never> {
  for (;;) await post(client, 'GUID-9');
}

describe('a proxy that will not connect', () => {
  const rows: [string, string, string][] = [
    ['407 Proxy Authentication Required', 'EDGE_PROXY_AUTH', '407'],
    ['403 Forbidden', 'EDGE_PROXY_FAILED', '403'],
    ['401 Unauthorized', 'EDGE_PROXY_FAILED', '401'],
    ['502 Bad Gateway', 'EDGE_PROXY_FAILED', '502'],
    ['302 Found', 'EDGE_PROXY_FAILED', '302'],
  ];
  it.each(rows)('with %s is %s, not taken for the backend, and sent no secret', async (status, code, number) => {
    const seen: string[] = [];
    const proxy = await connectProxy({
      refuse(_request, socket) {
        socket.on('data', (chunk) => seen.push(chunk.toString()));
        socket.write(`HTTP/1.1 ${status}\r\nLocation: http://portal.example.com\r\nContent-Length: 5\r\n\r\nlogin`);
        return true;
      },
    });
    const { client, socket, told } = await behind({ proxyUrl: proxy.url });
    const error = await errorOf(post(client, 'GUID-1'));
    expect(error).toMatchObject({ code, status: undefined, message: expect.stringContaining(number) });
    expect(told('conditionRaised').map(([raised]) => raised)).toEqual([code]);
    socket.client.start();
    await socket.retryIn(1);
    expect(socket.argsOf('websocketRefused')).toEqual([]);
    expect(socket.refreshes()).toBe(0);
    expect(JSON.stringify(socket.argsOf('websocketError'))).toContain(number);
    expect(seen.join('')).not.toContain(SECRET);
    await waitFor('the connections to be closed', () => proxy.sockets.size === 0);
  });

  it('is told without user name and password, whatever it repeats of them', async () => {
    const proxy = await connectProxy({
      refuse(request, socket) {
        const sent = request.headers['proxy-authorization'];
        socket.end(`HTTP/1.1 407 ${sent} is no ${atob(sent!.slice(6))}\r\nContent-Length: 0\r\n\r\n`);
        return true;
      },
    });
    vi.stubEnv('HTTPS_PROXY', proxy.url.replace('//', '//canary-user:50%off-canary@'));
    const { client } = await behind({});
    const error = await errorOf(post(client, 'GUID-1'));
    expect(error).toMatchObject({ code: 'EDGE_PROXY_AUTH', message: expect.stringContaining('407 Basic') });
    expect(proxy.connects[0]!.headers['proxy-authorization']).toBe(`Basic ${btoa('canary-user:50%off-canary')}`);
    expect(error.message).not.toContain('canary');
    expect(error.message).not.toContain(btoa('canary-user:50%off-canary').slice(0, 12));
  });

  it.each(['/', '?', '#'])('because its password has a %s shows no part of that', async (char) => {
    vi.stubEnv('HTTPS_PROXY', `http://user:12${char}34@proxy.example.com:3128`);
    const { client, network } = await behind({});
    const error = await errorOf(post(client, 'GUID-1'));
    expect(error).toMatchObject({ code: 'EDGE_PROXY_FAILED', message: expect.stringContaining('%23') });
    expect(`${error.message} ${network.describe([new URL(`https://${HOST}`)])}`).not.toMatch(/user:|12|34/);
  });

  it('because it is down is EDGE_PROXY_FAILED', async () => {
    const proxy = await connectProxy();
    proxy.close();
    const { client } = await behind({ proxyUrl: proxy.url });
    const message = expect.stringMatching(/the proxy http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_PROXY_FAILED', message });
  });

  it('because its name is unknown is EDGE_BACKEND_DNS', async () => {
    const { client } = await behind({ proxyUrl: 'http://proxy.invalid:3128' });
    const message = expect.stringContaining('proxy.invalid');
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_BACKEND_DNS', message });
  });

  it('because what is set is no URL of a proxy is EDGE_PROXY_FAILED: nothing goes around it', async () => {
    vi.stubEnv('HTTPS_PROXY', 'socks5://127.0.0.1:1080');
    const { client, socket } = await behind({});
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_PROXY_FAILED' });
    socket.client.start();
    await socket.retryIn(1);
  });

  it('because it closes without an answer is EDGE_PROXY_FAILED', async () => {
    const proxy = await connectProxy({ refuse: (_request, socket) => !!socket.destroy() });
    const { client } = await behind({ proxyUrl: proxy.url });
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_PROXY_FAILED' });
  });

  it('because it never answers is EDGE_PROXY_FAILED after 10 s', async () => {
    const proxy = await connectProxy({ refuse: () => true });
    const { client, clock } = await behind({ proxyUrl: proxy.url });
    const failed = errorOf(post(client, 'GUID-1'));
    await waitFor('the CONNECT', () => proxy.connects.length === 1);
    clock.advance(10_000);
    expect(await failed).toMatchObject({ code: 'EDGE_PROXY_FAILED', message: expect.stringContaining('10 s') });
    await waitFor('the connection to be closed', () => proxy.sockets.size === 0);
  });
});

describe('a proxy that has not answered', () => {
  it('keeps no connection of a socket that is stopped', async () => {
    const proxy = await connectProxy({ refuse: () => true });
    const { socket } = await behind({ proxyUrl: proxy.url });
    socket.client.start();
    await waitFor('the CONNECT', () => proxy.connects.length === 1);
    await socket.client.stop();
    await waitFor('the connection to be closed', () => proxy.sockets.size === 0);
  });

  it('keeps no connection of a client that is closed', async () => {
    const proxy = await connectProxy({ refuse: () => true });
    const { client } = await behind({ proxyUrl: proxy.url });
    const failed = errorOf(post(client, 'GUID-1'));
    await waitFor('the CONNECT', () => proxy.connects.length === 1);
    client.close();
    expect(await failed).toMatchObject({ code: 'EDGE_BACKEND_UNREACHABLE' });
    await waitFor('the connection to be closed', () => proxy.sockets.size === 0);
  });
});

describe('a proxy that dies', () => {
  it('ends request and socket; both work again when it is back', async () => {
    const proxy = await connectProxy();
    const { client, socket, told } = await behind({ proxyUrl: proxy.url });
    await post(client, 'GUID-1');
    socket.client.start();
    await socket.up();
    for (const one of proxy.sockets) one.destroy();
    await waitFor('the loss', () => socket.heard.includes('down'));
    await post(client, 'GUID-2');
    socket.clock.advance((await socket.retryIn(1)) as number);
    await socket.up();
    expect(told('conditionRaised')).toEqual([]);
  });
});

describe('which proxy', () => {
  const at = (text: string, configured?: string) => proxyFor(new URL(text), configured)?.href;

  it('is that of the configuration before that of the environment', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://env.example.com:1');
    expect(at('https://backend.example.com', 'http://own.example.com:2')).toBe('http://own.example.com:2/');
    expect(at('wss://backend.example.com')).toBe('http://env.example.com:1/');
  });

  it('goes by the scheme: HTTPS_PROXY for https and wss, HTTP_PROXY for http and ws', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://s.example.com:1');
    vi.stubEnv('HTTP_PROXY', 'http://p.example.com:2');
    expect(['https', 'wss', 'http', 'ws'].map((scheme) => at(`${scheme}://backend.example.com/edge`))).toEqual([
      'http://s.example.com:1/',
      'http://s.example.com:1/',
      'http://p.example.com:2/',
      'http://p.example.com:2/',
    ]);
  });

  it.each(['backend.example.com', '.example.com', '*.example.com', 'backend.example.com:8443', '*'])(
    'is none where NO_PROXY is %s',
    (value) => {
      vi.stubEnv('HTTPS_PROXY', 'http://s.example.com:1');
      vi.stubEnv('NO_PROXY', value);
      expect(at('wss://backend.example.com:8443/edge/ws')).toBeUndefined();
      expect(at('https://backend.example.net')).toBe(value === '*' ? undefined : 'http://s.example.com:1/');
    },
  );

  it.each(['http://localhost:8080', 'http://127.0.0.1:8080', 'ws://[::1]:8080'])('is none to %s', (url) => {
    vi.stubEnv('HTTP_PROXY', 'http://p.example.com:2');
    expect(at(url, 'http://own.example.com:2')).toBeUndefined();
  });
});
