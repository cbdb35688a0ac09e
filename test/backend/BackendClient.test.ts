import { describe, expect, it } from 'vitest';
import { BackendError } from '../../src/backend/BackendError.ts';
import type { CommandAck, SyncRequest } from '../../src/protocol/wire.ts';
import { waitFor } from '../support/waitFor.ts';
import { AGENT_ID, backendClient, errorOf, httpBackend, message, post, SECRET } from './httpServer.ts';

const signal = new AbortController().signal;
const syncRequest: SyncRequest = {
  edge_agent_id: AGENT_ID,
  last_command_id: null,
  pending_events: [],
  status: { scheduled_messages: 0, active_rules: 0, uptime_seconds: 1 },
};
const ack: CommandAck = {
  command_id: 'c 1',
  success: true,
  error: null,
  timestamp: '2026-01-01T00:00:00.000Z',
  status: 'completed',
};

/** A backend that answers everything alike. */
const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
  httpBackend((_request, response) => response.writeHead(status, headers).end(body));

describe('a request', () => {
  it('carries the secret, the agent id and the message’s guid as key', async () => {
    const backend = await answering(200, '{"should_respond":false}');
    const { client } = backendClient(`${backend.url}/prefix/`);
    await post(client, 'GUID-1');
    expect(backend.received[0]).toMatchObject({
      path: '/prefix/edge/message',
      headers: {
        authorization: `Bearer ${SECRET}`,
        'x-edge-agent-id': AGENT_ID,
        'content-type': 'application/json',
        'idempotency-key': 'GUID-1',
        'accept-encoding': 'identity',
      },
    });
    expect(JSON.parse(backend.received[0]!.body)).toEqual(message('GUID-1'));
  });

  it('carries a key that no header can hold percent-encoded', async () => {
    const backend = await answering(200, '{}');
    const { client } = backendClient(backend.url);
    await post(client, 'G\n☂\ud800');
    expect(backend.received[0]!.headers['idempotency-key']).toBe('G%0A%E2%98%82%EF%BF%BD');
  });

  it('uses one connection for request after request', async () => {
    const backend = await answering(200, '{}');
    const { client } = backendClient(backend.url);
    for (let i = 0; i < 3; i++) await post(client, `GUID-${i}`);
    expect(backend.connections).toHaveLength(1);
  });

  it('is not made without a secret', async () => {
    const backend = await answering(200, '{}');
    const { client } = backendClient(backend.url, { secret: () => undefined });
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_SECRET_MISSING', status: undefined });
    expect(backend.received).toEqual([]);
  });

  it('fails without the secret in its text when the secret cannot be a header', async () => {
    const { client } = backendClient('http://127.0.0.1:9', { secret: () => `${SECRET}\n` });
    const error = await errorOf(post(client, 'GUID-1'));
    expect(error).toMatchObject({ code: 'EDGE_BACKEND_UNREACHABLE' });
    expect(`${error.message} ${(error.cause as Error).stack}`).not.toContain(SECRET);
  });
});

describe('an answer', () => {
  it('is handed over with its unknown fields left out', async () => {
    const backend = await answering(200, '{"should_respond":true,"reply_bubbles":["hi"],"reply_text":null,"new":1}');
    const { client } = backendClient(backend.url);
    expect(await post(client, 'GUID-1')).toEqual({ should_respond: true, reply_bubbles: ['hi'] });
  });

  it('of 409 means that the backend has the message', async () => {
    const { client } = backendClient((await answering(409, 'dup')).url);
    expect(await post(client, 'GUID-1')).toBe('known');
    expect(await client.postAck(ack)).toBeUndefined();
  });

  it('to a sync is its commands and acknowledged events', async () => {
    const backend = await answering(200, '{"commands":[{"command_id":"1"}],"ack_events":["e1"]}');
    const { client } = backendClient(backend.url);
    expect(await client.sync(syncRequest, signal)).toEqual({
      commands: [{ command_id: '1' }],
      ack_events: ['e1'],
      flaws: [],
    });
    expect(backend.received[0]).toMatchObject({ path: '/edge/sync', body: JSON.stringify(syncRequest) });
  });

  it.each([
    ['{"commands":[1],"ack_events":["e1",7,null]}', { commands: [1], ack_events: ['e1'] }, 'ack_events holds'],
    ['{"commands":[1],"ack_events":"e1"}', { commands: [1], ack_events: [] }, 'ack_events is no list'],
    ['{"commands":[1],"config_updates":["x"]}', { commands: [1], ack_events: [] }, 'config_updates is no object'],
    ['{"commands":{"a":1},"ack_events":["e1"]}', { commands: [], ack_events: ['e1'] }, 'commands is no list'],
  ])('to a sync gives the parts that are right: %s', async (body, parts, flaw) => {
    const backend = await answering(200, body);
    const { client } = backendClient(backend.url);
    const answer = await client.sync(syncRequest, signal);
    expect(answer).toMatchObject(parts);
    expect(answer.flaws).toEqual([expect.stringContaining(flaw)]);
  });

  it('to a sync may be larger than 1 MiB when the caller says so', async () => {
    const command = 'x'.repeat(2 * 1024 * 1024);
    const backend = await answering(200, JSON.stringify({ commands: [command] }));
    const { client } = backendClient(backend.url);
    await expect(client.sync(syncRequest, signal)).rejects.toMatchObject({ code: 'EDGE_BACKEND_ANSWER' });
    expect((await client.sync(syncRequest, signal, 8 * 1024 * 1024)).commands).toEqual([command]);
  });

  it('to an ack needs no body, and the ack has its own key', async () => {
    const backend = await answering(204, '');
    const { client } = backendClient(backend.url);
    await client.postAck(ack);
    expect(backend.received[0]).toMatchObject({
      path: '/edge/command/ack',
      headers: { 'idempotency-key': 'c%201%3Acompleted' },
      body: JSON.stringify(ack),
    });
  });

  it.each([
    ['HTML', '<html>canary</html>'],
    ['nothing', ''],
    ['truncated JSON', '{"should_respond":true,"reply_bubbles":["canary'],
    ['wrong types', '{"should_respond":true,"reply_bubbles":"canary"}'],
    ['no object', '["canary"]'],
    ['null', 'null'],
  ])('of 200 with %s cannot be used, and its text is not repeated', async (_what, body) => {
    const { client } = backendClient((await answering(200, body)).url);
    const error = await errorOf(post(client, 'GUID-1'));
    expect(error).toMatchObject({ code: 'EDGE_BACKEND_ANSWER', status: 200, retry: 'backoff', body: '' });
    expect(error.message).not.toContain('canary');
  });

  it('in gzip is refused unread: identity was asked for', async () => {
    const { client } = backendClient((await answering(200, '{}', { 'content-encoding': 'gzip' })).url);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({
      code: 'EDGE_BACKEND_ANSWER',
      message: expect.stringContaining('encoded as gzip'),
    });
  });

  it('without end is cut off at 1 MiB and its connection closed', async () => {
    let written = 0;
    const backend = await httpBackend((_request, response) => {
      const more = () => {
        if (response.destroyed) return;
        written += 65_536;
        response.write(' '.repeat(65_536), () => setImmediate(more));
      };
      more();
    });
    const { client } = backendClient(backend.url);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({
      code: 'EDGE_BACKEND_ANSWER',
      message: expect.stringContaining('larger than 1048576 bytes'),
    });
    await waitFor('the connection to close', () => backend.connections[0]!.destroyed);
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('a refusal', () => {
  it.each([
    [400, 'EDGE_BACKEND_REJECTED', 'never'],
    [401, 'EDGE_BACKEND_AUTH', 'backoff'],
    [403, 'EDGE_BACKEND_AUTH', 'backoff'],
    [404, 'EDGE_BACKEND_REJECTED', 'never'],
    [408, 'EDGE_BACKEND_BUSY', 'backoff'],
    [422, 'EDGE_BACKEND_REJECTED', 'never'],
    [425, 'EDGE_BACKEND_BUSY', 'backoff'],
    [429, 'EDGE_BACKEND_BUSY', 'backoff'],
    [500, 'EDGE_BACKEND_BUSY', 'backoff'],
    [502, 'EDGE_BACKEND_BUSY', 'backoff'],
    [503, 'EDGE_BACKEND_BUSY', 'backoff'],
    [504, 'EDGE_BACKEND_BUSY', 'backoff'],
  ])('%i is %s with status, body and Retry-After', async (status, code, retry) => {
    const { client, refreshes } = backendClient((await answering(status, 'x'.repeat(900), { 'retry-after': '7' })).url);
    const error = await errorOf(post(client, 'GUID-1'));
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ code, retry, status, retryAfterMs: 7000, body: 'x'.repeat(500) });
    expect(refreshes).toHaveLength(code === 'EDGE_BACKEND_AUTH' ? 1 : 0);
  });

  it.each([401, 403])(
    'with %i of a secret that is no longer the one to use is followed by one try with that',
    async (status) => {
      const backend = await httpBackend((request, response) => {
        const isNew = request.headers.authorization === 'Bearer another';
        response.writeHead(isNew ? 200 : status).end(JSON.stringify({ commands: [], ack_events: [] }));
      });
      let secret = SECRET;
      const { client } = backendClient(backend.url, {
        secret: () => secret,
        refreshSecret: () => (secret = 'another'),
      });
      await client.sync(syncRequest, signal);
      expect(backend.received.map(({ headers }) => headers.authorization)).toEqual([
        `Bearer ${SECRET}`,
        'Bearer another',
      ]);
    },
  );

  it('is final for a secret that is refused however often another is read', async () => {
    const backend = await answering(403, '');
    let reads = 0;
    const { client } = backendClient(backend.url, { secret: () => `secret ${reads}`, refreshSecret: () => reads++ });
    expect(await errorOf(client.postAck(ack))).toMatchObject({ code: 'EDGE_BACKEND_AUTH' });
    expect(backend.received).toHaveLength(2);
  });

  it('of a sync or an ack with 404 says that the endpoint is missing', async () => {
    const { client } = backendClient((await answering(404, '')).url);
    expect(await errorOf(client.sync(syncRequest, signal))).toMatchObject({ code: 'EDGE_BACKEND_NOT_FOUND' });
    expect(await errorOf(client.postAck(ack))).toMatchObject({ code: 'EDGE_BACKEND_NOT_FOUND' });
  });

  it('that echoes the secret does not bring it into the error', async () => {
    const { client } = backendClient((await answering(401, `${'x'.repeat(490)}Bearer ${SECRET}`)).url);
    const error = (await errorOf(post(client, 'GUID-1'))) as BackendError;
    expect(error.body).toContain('xBearer [');
    expect(error.body).not.toContain(SECRET.slice(0, 6));
  });

  it.each([301, 302, 307, 308])('by redirect %i is not followed', async (status) => {
    const elsewhere = await answering(200, '{}');
    const { client } = backendClient((await answering(status, '', { location: `${elsewhere.url}/?k=${SECRET}` })).url);
    const error = await errorOf(post(client, 'GUID-1'));
    expect(error).toMatchObject({ code: 'EDGE_BACKEND_REDIRECT', message: expect.stringContaining(elsewhere.url) });
    expect(error.message).not.toContain(SECRET);
    expect(elsewhere.received).toEqual([]);
  });

  it('stands even when its body breaks off', async () => {
    const backend = await httpBackend((request, response) => {
      response.writeHead(403).write('no', () => request.socket.destroySoon());
    });
    const { client } = backendClient(backend.url);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_BACKEND_AUTH', status: 403, body: 'no' });
  });
});
