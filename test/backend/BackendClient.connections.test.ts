import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { settle } from '../support/FakeClock.ts';
import { waitFor } from '../support/waitFor.ts';
import { backendClient, errorOf, httpBackend, listen, message, post, rawBackend } from './httpServer.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const guidsIn = (text: string) => [...text.matchAll(/"message_guid":"([^"]+)"/g)].map((match) => match[1]);

describe('the order of a thread’s messages', () => {
  it('holds when a new connection waits in the accept queue while an old one is read', async () => {
    const order: string[] = [];
    let answerSlow = () => {};
    const server = createHttpServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      order.push(JSON.parse(body).message_guid);
      if (body.includes('SLOW')) answerSlow = () => response.end('{}');
      else response.end('{}');
    });
    // A gate in front of the server: the second connection is established but nobody reads it until the gate opens.
    let openGate = () => {};
    let connections = 0;
    const gate = createTcpServer({ pauseOnConnect: true }, (socket) => {
      const accept = () => {
        server.emit('connection', socket);
        socket.resume();
      };
      connections += 1;
      if (connections === 1) accept();
      else openGate = accept;
    });
    const { client } = backendClient(`http://127.0.0.1:${await listen(gate)}`);

    const slow = post(client, 'SLOW');
    await waitFor('the slow request', () => order.length === 1);
    let second: Promise<unknown> | undefined;
    const first = post(client, 'FIRST', () => {
      second = post(client, 'SECOND');
    });
    await waitFor('the second connection', () => connections === 2);
    answerSlow();
    await slow; // the first connection is free for whatever is written next
    await settle();
    await post(client, 'OTHER THREAD'); // it is read at once
    openGate();
    await first;
    await waitFor('the second message', () => second);
    await second;
    expect(order).toEqual(['SLOW', 'OTHER THREAD', 'FIRST', 'SECOND']);
  });

  it('does not cost a round trip on a connection that has carried an answer', async () => {
    const backend = await httpBackend((_request, response) => response.end('{}'));
    const { client } = backendClient(backend.url);
    await post(client, 'GUID-1');
    await post(client, 'GUID-2');
    expect(backend.received.map(({ headers }) => headers.expect)).toEqual(['100-continue', undefined]);
  });

  it('is not waited for longer than 300 ms where the server says nothing', async () => {
    let read = '';
    const backend = await rawBackend((socket, text) => {
      read = text;
      if (text.includes('GUID-1"')) socket.end(OK);
    });
    const { client, clock } = backendClient(backend.url);
    const answer = post(client, 'GUID-1');
    await waitFor('the head of the request', () => read.includes('\r\n\r\n') && clock.pending === 2);
    await clock.advance(299);
    expect(guidsIn(read)).toEqual([]);
    await clock.advance(1);
    expect(await answer).toEqual({});
    expect(clock.pending).toBe(0);
  });

  it('gives way to a server that refuses to be asked (417): the request is repeated without', async () => {
    const heads: string[] = [];
    const backend = await rawBackend((socket, text) => {
      if (guidsIn(text).length === 0) {
        heads.push(text);
        socket.end('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n');
      } else socket.end(OK);
    });
    const { client } = backendClient(backend.url);
    expect(await post(client, 'GUID-1')).toEqual({});
    expect(heads).toHaveLength(1);
  });

  it('lets a refusal of the head spare the body', async () => {
    let read = '';
    const backend = await rawBackend((socket, text) => {
      read = text;
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
    });
    const { client } = backendClient(backend.url);
    let writtenOut = false;
    const error = errorOf(post(client, 'GUID-1', () => (writtenOut = true)));
    expect(await error).toMatchObject({ code: 'EDGE_BACKEND_REJECTED', status: 413 });
    expect([guidsIn(read), writtenOut]).toEqual([[], false]);
  });

  it('never takes a 200 for an answer to what was not written out', async () => {
    const backend = await rawBackend((socket) => socket.write(OK));
    const { client } = backendClient(backend.url);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({
      code: 'EDGE_BACKEND_UNREACHABLE',
      message: expect.stringContaining('before the request was written out'),
    });
  });
});

describe('a connection that breaks', () => {
  it('in the middle of an answer makes the request one to repeat', async () => {
    const backend = await rawBackend((socket, text) => {
      if (guidsIn(text).length === 0) return void socket.write(CONTINUE);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{"should', () => socket.resetAndDestroy());
    });
    const { client } = backendClient(backend.url);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({ code: 'EDGE_BACKEND_UNREACHABLE', retry: 'backoff' });
  });

  it('after the first request on it was read is reported, not repeated: the message may be taken', async () => {
    let requests = 0;
    let writtenOut = 0;
    const backend = await rawBackend((socket, text) => {
      if (guidsIn(text).length === 0) return void socket.write(CONTINUE);
      requests += 1;
      socket.resetAndDestroy();
    });
    const { client } = backendClient(backend.url);
    const error = await errorOf(post(client, 'GUID-1', () => (writtenOut += 1)));
    expect(error).toMatchObject({ code: 'EDGE_BACKEND_UNREACHABLE', message: expect.stringContaining('ECONNRESET') });
    expect([requests, writtenOut]).toEqual([1, 1]);
  });

  it('as it is used again has the request repeated at once, on a new one, with the same key', async () => {
    const guids: string[] = [];
    let writtenOut = 0;
    const backend = await rawBackend((socket, text, connection) => {
      const seen = guidsIn(text);
      if (seen.length === 0) return void socket.write(CONTINUE);
      guids.push(`${connection}:${seen.at(-1)}`);
      if (connection === 1 && seen.length === 2) socket.resetAndDestroy();
      else socket.write(OK);
    });
    const { client } = backendClient(backend.url);
    await post(client, 'GUID-1');
    expect(await post(client, 'GUID-2', () => (writtenOut += 1))).toEqual({});
    expect(guids).toEqual(['1:GUID-1', '1:GUID-2', '2:GUID-2']);
    expect(writtenOut).toBe(1);
  });

  it('as it is used again takes the other idle ones with it: they are as old', async () => {
    const backend = await rawBackend((socket, text) => {
      const seen = guidsIn(text);
      if (seen.length === 0) socket.write(CONTINUE);
      else if (seen.length === 1) socket.write(OK);
      else socket.resetAndDestroy();
    });
    const { client } = backendClient(backend.url);
    await Promise.all([post(client, 'GUID-1'), post(client, 'GUID-2')]);
    expect(await post(client, 'GUID-3')).toEqual({});
  });

  it('as it is used again, twice, is reported', async () => {
    let requests = 0;
    const backend = await rawBackend((socket, text) => {
      if (guidsIn(text).length === 0) return void socket.write(CONTINUE);
      requests += 1;
      if (requests === 1) socket.write(OK);
      else socket.resetAndDestroy();
    });
    const { client } = backendClient(backend.url);
    await post(client, 'GUID-1');
    expect(await errorOf(post(client, 'GUID-2'))).toMatchObject({ code: 'EDGE_BACKEND_UNREACHABLE' });
    expect(requests).toBe(3);
  });

  it.each(['http:', 'https:', 'HTTPS:'])('to %s before it is made names the cause', async (scheme) => {
    const { client } = backendClient(`${scheme}//127.0.0.1:1`);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({
      code: 'EDGE_BACKEND_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('a server that never answers', () => {
  /** Takes requests and keeps silent. */
  const silent = async () => {
    const sockets: Socket[] = [];
    const backend = await httpBackend((request) => sockets.push(request.socket));
    return { ...backend, sockets };
  };

  it('is given up after the time for a whole request, and the connection closed', async () => {
    const backend = await silent();
    const { client, clock } = backendClient(backend.url);
    const error = errorOf(post(client, 'GUID-1'));
    await waitFor('the request', () => backend.received.length);
    await clock.advance(60_000);
    expect(await error).toMatchObject({
      code: 'EDGE_BACKEND_UNREACHABLE',
      message: 'POST /edge/message failed: no complete answer within 60 s',
    });
    await waitFor('the connection to close', () => backend.sockets[0]!.destroyed);
    expect(clock.pending).toBe(0);
  });

  it('is left at once when the caller aborts or the client is closed', async () => {
    const backend = await silent();
    const { client, clock } = backendClient(backend.url);
    const abort = new AbortController();
    const aborted = errorOf(client.postMessage(message('GUID-1'), { signal: abort.signal, onWrittenOut() {} }));
    const closed = errorOf(post(client, 'GUID-2'));
    await waitFor('the requests', () => backend.received.length === 2);
    abort.abort();
    expect(await aborted).toMatchObject({ code: 'EDGE_BACKEND_UNREACHABLE' });
    client.close();
    expect(await closed).toMatchObject({ code: 'EDGE_BACKEND_UNREACHABLE' });
    expect(await errorOf(post(client, 'GUID-3'))).toMatchObject({ code: 'EDGE_BACKEND_UNREACHABLE' });
    await waitFor('the connections to close', () => backend.sockets.every((socket) => socket.destroyed));
    expect(clock.pending).toBe(0);
  });

  it('fails at once, and not after its whole limit, when the answer is a switch of protocols', async () => {
    const { url } = await rawBackend((socket, text) => {
      if (text.includes('\r\n\r\n')) {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n');
      }
    });
    const { client, clock } = backendClient(url);
    expect(await errorOf(post(client, 'GUID-1'))).toMatchObject({
      code: 'EDGE_BACKEND_UNREACHABLE',
      message: expect.stringContaining('answered 101'),
    });
    expect([clock.monotonic(), clock.pending]).toEqual([0, 0]);
  });

  it('to as many messages as may be under way leaves room for an ack', async () => {
    const backend = await httpBackend((request, response) => {
      if (request.url === '/edge/command/ack') response.end();
    });
    const { client } = backendClient(backend.url, { maxSockets: 2 });
    const waiting = [errorOf(post(client, 'GUID-1')), errorOf(post(client, 'GUID-2'))];
    await waitFor('the messages', () => backend.received.length === 2);
    await client.postAck({ command_id: 'c1', success: true, error: null, timestamp: '', status: 'completed' });
    client.close();
    await Promise.all(waiting);
  });
});
