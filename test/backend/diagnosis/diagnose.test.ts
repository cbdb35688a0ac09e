import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CAUSES } from '../../../src/backend/diagnosis/causeTexts.ts';
import { EdgeError } from '../../../src/util/EdgeError.ts';
import { AGENT, SECRET as HUB_SECRET, startHub } from '../../hub/testHub.ts';
import { FakeClock } from '../../support/FakeClock.ts';
import { waitFor } from '../../support/waitFor.ts';
import { AGENT_ID, listen, SECRET } from '../httpServer.ts';
import { answerPings, faultyBackend, refuse, walk } from './faultyBackend.ts';

const WELL = ['dns pass', 'tcp pass', 'tls skipped', 'health pass', 'sync pass'];

describe('the way to a hub', () => {
  it('is walked to its end, with a command to and fro, and the agent keeps its socket and its commands', async () => {
    const { hub, connect, admin } = await startHub();
    const agent = await connect();
    const { statuses } = await walk(hub.url, {
      secret: HUB_SECRET,
      agentId: AGENT,
      agent: { isSocketUp: true, since: null },
    });
    expect(statuses).toEqual([...WELL, 'upgrade pass', 'ping pass', 'probe pass']);
    await admin('/api/send-message', { edge_agent_id: AGENT, thread_id: '+15550100002', message: 'hi' });
    await waitFor('the command', () => agent.commands.length === 1);
    expect(agent.closed).toBeUndefined();
  });

  it.each(['close', 'http'] as const)('ends at a wrong secret, refused by %s', async (wsReject) => {
    const { hub } = await startHub({ wsReject });
    const { of } = await walk(hub.url, { secret: 'wrong', agentId: AGENT });
    for (const step of ['sync', 'upgrade'] as const) {
      expect(of(step).status).toBe('fail');
      expect(of(step).causes[0]).toBe(CAUSES['secret-wrong'].text);
      expect(of(step).text).toContain('without the Authorization header');
    }
    expect(of('ping').status).toBe('skipped');
  });

  it('ends at an agent id that is not registered', async () => {
    const { hub } = await startHub({ agents: ['edge_15550100009'] });
    const { of } = await walk(hub.url, { secret: HUB_SECRET, agentId: AGENT });
    expect(of('upgrade').received?.close).toEqual({ code: 4001, reason: 'Edge agent not registered' });
    expect(of('upgrade').causes[0]).toBe(CAUSES['agent-unknown'].text);
    expect(of('upgrade').ask).toContain(CAUSES['agent-unknown'].ask);
  });
});

describe('what was sent', () => {
  it('is what the agent sends, marked as a look, without events and with its place among the commands', async () => {
    let said = '';
    const { url, requests, upgrades } = await faultyBackend({
      sync: (response, _request, body) => {
        said = body;
        response.end('{}');
      },
    });
    const { of } = await walk(url);
    expect(JSON.parse(said)).toMatchObject({ edge_agent_id: AGENT_ID, last_command_id: 'c-7', pending_events: [] });
    const expected = { authorization: `Bearer ${SECRET}`, 'x-edge-agent-id': AGENT_ID, 'x-edge-probe': 'doctor' };
    expect(requests.find(({ url }) => url === '/edge/sync')?.headers).toMatchObject(expected);
    expect(upgrades[0]?.headers).toMatchObject(expected);
    expect(upgrades[0]?.url).toBe(`/edge/ws?edge_agent_id=${AGENT_ID}`);
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
    expect(of('sync').sent?.headers.Authorization).toBe('Bearer [secret]');
    expect(of('upgrade').sent?.headers.Authorization).toBe('Bearer [secret]');
  });

  it('is shown without the secret, however a backend echoes it', async () => {
    const secret = 'a"b/canary\\1';
    const echo = `${secret} ${JSON.stringify(secret)} ${encodeURIComponent(secret)}`;
    const { url } = await faultyBackend({
      health: (response) => response.writeHead(500, { server: `x ${secret}` }).end(echo),
      sync: (response) => response.writeHead(403).end(echo),
      socket: (ws) => ws.close(4001, echo.slice(0, 100)),
    });
    const { steps, of } = await walk(url, { secret });
    expect(of('sync').received?.body).toContain('[secret]');
    expect(JSON.stringify(steps)).not.toContain('canary');
  });

  it('is cut only after the secret was taken out, and shows none in the id of a test command', async () => {
    const secret = 'canary'.repeat(40);
    const { url } = await faultyBackend({
      sync: (response) =>
        response.writeHead(302, { location: `https://example.com/${'x'.repeat(150)}${secret}` }).end(),
      socket: (ws) => {
        ws.send('{"type":"connected","data":{"probe":true}}');
        const command = { command_id: 'canary'.repeat(20), command_type: 'probe', payload: {} };
        ws.send(JSON.stringify({ type: 'command', data: command }));
        answerPings(ws);
      },
    });
    const { steps } = await walk(url, { secret });
    expect(JSON.stringify(steps.slice(0, 6))).not.toContain('canary');
    const short = await walk(url, { secret: 'canary' });
    expect(short.of('probe').status).toBe('pass');
    expect(JSON.stringify(short.steps)).not.toContain('canary');
  });

  it('holds no text of an answer: that may be for a person', async () => {
    const command = { command_id: 'c-8', command_type: 'send_message_now', payload: { text: 'canary' } };
    const { url } = await faultyBackend({
      sync: (response) => response.end(JSON.stringify({ commands: [command] })),
      socket: (ws) => {
        ws.send(JSON.stringify({ type: 'command', data: command }));
        answerPings(ws);
      },
    });
    const { steps, of } = await walk(url);
    expect(of('sync')).toMatchObject({ status: 'warn', text: expect.stringContaining('1 command(s)') });
    expect(of('ping')).toMatchObject({ status: 'warn', text: expect.stringContaining('1 command(s)') });
    expect(JSON.stringify(steps)).not.toContain('canary');
  });
});

describe('a backend with a fault', () => {
  it('is missed already in DNS', async () => {
    const { statuses, of } = await walk('http://backend.invalid');
    expect(statuses.slice(0, 5)).toEqual(['dns fail', 'tcp skipped', 'tls skipped', 'health skipped', 'sync skipped']);
    expect(of('upgrade').status).toBe('skipped');
    expect(of('dns').received?.error?.code).toBe('EDGE_BACKEND_DNS');
  });

  it('does not listen', async () => {
    const { of } = await walk('http://127.0.0.1:9');
    expect(of('tcp')).toMatchObject({ status: 'fail', causes: [CAUSES['nothing-listens'].text] });
  });

  it('does not speak TLS at its port', async () => {
    const port = await listen(createServer((socket) => socket.end('SSH-2.0-x\r\n')));
    const { statuses, of } = await walk(`https://127.0.0.1:${port}`);
    expect(statuses.slice(0, 4)).toEqual(['dns pass', 'tcp pass', 'tls fail', 'health skipped']);
    expect(of('tls').causes[0]).toBe(CAUSES['tls-none'].text);
  });

  it('has no /health, which is a remark only', async () => {
    const { url } = await faultyBackend({ health: (response) => response.writeHead(404).end() });
    const { statuses } = await walk(url);
    expect(statuses).toEqual(WELL.with(3, 'health warn').concat('upgrade pass', 'ping pass', 'probe skipped'));
  });

  const REFUSALS: readonly [string, number, Record<string, string>, string, keyof typeof CAUSES][] = [
    ['without a word', 403, {}, '', 'closed-before-accept'],
    ['by a firewall', 403, { 'Content-Type': 'text/html' }, '<html>blocked</html>', 'upgrade-blocked'],
    ['as unknown', 404, {}, '', 'endpoint-absent'],
    ['as no upgrade', 426, {}, '', 'upgrade-lost'],
    ['as a bad request', 400, {}, 'Bad Request', 'upgrade-lost'],
    ['with a page', 200, { 'Content-Type': 'text/html' }, '<html>', 'web-page'],
    ['by a redirect', 301, { Location: 'https://127.0.0.1/edge/ws' }, '', 'https-wanted'],
    ['as too often', 429, { 'Retry-After': '7' }, '', 'rate-limited'],
    ['as down', 502, { Server: 'nginx' }, '', 'behind-down'],
  ];
  it.each(REFUSALS)(
    'refuses the upgrade %s (%i) though the sync is taken',
    async (_how, status, headers, body, cause) => {
      const { url } = await faultyBackend({ upgrade: (socket) => refuse(socket, status, headers, body) });
      const { statuses, of } = await walk(url);
      expect(statuses).toEqual([...WELL, 'upgrade fail', 'ping skipped', 'probe skipped']);
      expect(of('upgrade').received).toMatchObject({ status, body });
      expect(of('upgrade').causes[0]).toBe(CAUSES[cause].text);
      expect(of('upgrade').fix).toBe(CAUSES[cause].fix);
    },
  );

  it('never sees the Authorization header: the answer is the same without it', async () => {
    const { url } = await faultyBackend({ sync: (response) => response.writeHead(401).end('who?') });
    const { of } = await walk(url);
    expect(of('sync').causes[0]).toBe(CAUSES['header-lost'].text);
  });

  it('is taken at its word though the body of its answer never ends', async () => {
    const { url } = await faultyBackend({
      health: (response) => response.writeHead(502).write('.'),
      sync: (response) => response.writeHead(403).write('Invalid token'),
      upgrade: (socket) => socket.write('HTTP/1.1 404 X\r\nContent-Length: 999\r\n\r\nNot here'),
    });
    const { of } = await walk(url);
    expect(of('health').received).toMatchObject({ status: 502, body: '.' });
    expect(of('sync').received).toMatchObject({ status: 403, body: 'Invalid token' });
    expect(of('sync').causes[0]).toBe(CAUSES['secret-wrong'].text);
    expect(of('upgrade').received).toMatchObject({ status: 404, body: 'Not here' });
  });

  it('accepts the socket and cuts it', async () => {
    const { url } = await faultyBackend({ socket: (ws) => ws.terminate() });
    const { of } = await walk(url);
    expect(of('upgrade')).toMatchObject({ status: 'fail', text: 'accepted, then closed with 1006 (no reason)' });
    expect(of('upgrade').causes).toEqual([CAUSES['cut-at-once'].text]);
  });

  it('answers the sync with a page, or with something else than the protocol says', async () => {
    const page = await faultyBackend({
      sync: (response) => response.setHeader('content-type', 'text/html').end('<html>Sign in</html>'),
    });
    const first = (await walk(page.url)).of('sync');
    expect(first).toMatchObject({ status: 'fail', received: { body: '<html>Sign in</html>' } });
    expect(first.causes[0]).toBe(CAUSES['web-page'].text);
    const other = await faultyBackend({ sync: (response) => response.end('[1]') });
    const flawed = await faultyBackend({ sync: (response) => response.end('{"commands":"none"}') });
    expect((await walk(flawed.url)).of('sync')).toMatchObject({
      status: 'warn',
      text: expect.stringContaining('commands is no list'),
    });
    expect((await walk(other.url)).of('sync')).toMatchObject({
      status: 'fail',
      text: expect.stringContaining('protocol'),
    });
  });
});

describe('the socket of an agent that runs', () => {
  it('is left alone where the backend would replace it', async () => {
    const { url, upgrades } = await faultyBackend();
    const { of } = await walk(url, { agent: { isSocketUp: true, since: '2026-01-01T00:00:00.000Z' } });
    expect(upgrades).toHaveLength(0);
    expect(of('upgrade')).toMatchObject({ status: 'pass', text: expect.stringContaining('2026-01-01T00:00:00.000Z') });
    expect(of('ping').status).toBe('skipped');
  });

  it('is no reason not to look while it is down', async () => {
    const { url, upgrades } = await faultyBackend();
    await walk(url, { agent: { isSocketUp: false, since: null } });
    expect(upgrades).toHaveLength(1);
  });
});

it('leaves the socket it opened, politely', async () => {
  const closes: number[] = [];
  const { url } = await faultyBackend({
    socket: (ws) => {
      ws.on('close', (code) => closes.push(code));
      answerPings(ws);
    },
  });
  await walk(url);
  await waitFor('the close', () => closes.length > 0);
  expect(closes).toEqual([1000]);
});

it('asks for nothing that needs a secret where there is none', async () => {
  const { url, requests, upgrades } = await faultyBackend();
  const secretProblem = new EdgeError('EDGE_SECRET_MISSING', 'secret.txt is empty');
  const { of } = await walk(url, { secret: undefined, secretProblem });
  expect(of('sync')).toMatchObject({ status: 'fail', text: 'EDGE_SECRET_MISSING: secret.txt is empty' });
  expect(of('upgrade').status).toBe('fail');
  expect(requests.map(({ url }) => url)).toEqual(['/health']);
  expect(upgrades).toHaveLength(0);
});

it('does not open the socket where the WebSocket is switched off', async () => {
  const { url, upgrades } = await faultyBackend();
  const { of } = await walk(url, { websocketUrl: undefined });
  expect(of('upgrade')).toMatchObject({ status: 'skipped', text: 'websocket.enabled is false' });
  expect(upgrades).toHaveLength(0);
});

it('walks to the other server where the WebSocket is elsewhere', async () => {
  const [http, ws] = [await faultyBackend(), await faultyBackend()];
  const { statuses } = await walk(http.url, { websocketUrl: `${ws.url.replace('http', 'ws')}/edge/ws` });
  expect(statuses).toEqual([...WELL, ...WELL.slice(0, 3), 'upgrade pass', 'ping pass', 'probe skipped']);
  expect([http.upgrades.length, ws.upgrades.length]).toEqual([0, 1]);
});

it('waits 10 s for a step, and a minute for all of them', async () => {
  const clock = new FakeClock();
  const { url, requests, upgrades } = await faultyBackend({
    health: () => {},
    sync: () => {},
    upgrade: () => {},
  });
  const walking = walk(url, { clock });
  await waitFor('the first request', () => requests.length === 1);
  await clock.advance(10_000);
  await waitFor('the second request', () => requests.length === 2);
  await clock.advance(10_000);
  await waitFor('the handshake', () => upgrades.length === 1);
  await clock.advance(10_000);
  const { of } = await walking;
  for (const step of ['health', 'sync', 'upgrade'] as const) {
    expect(of(step)).toMatchObject({
      status: 'fail',
      ms: 10_000,
      text: expect.stringContaining('no answer within 10 s'),
    });
    expect(of(step).causes[0]).toBe(CAUSES['answers-late'].text);
  }
});

it('takes a socket on which nothing comes back for open, and the silence for what is wrong', async () => {
  const clock = new FakeClock();
  const { url, upgrades } = await faultyBackend({ socket: () => {} });
  const walking = walk(url, { clock });
  await waitFor('the handshake', () => upgrades.length === 1);
  await waitFor('the limits of the step and of its silence', () => clock.pending === 2);
  await clock.advance(2_000);
  await waitFor('the limits of the next', () => clock.pending === 2);
  await clock.advance(4_000);
  await waitFor('the limit of the farewell', () => clock.pending === 1);
  await clock.advance(500);
  const { of } = await walking;
  expect(of('upgrade').status).toBe('pass');
  expect(of('ping')).toMatchObject({ status: 'fail', causes: [CAUSES['silent-socket'].text] });
});
